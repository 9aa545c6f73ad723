"""The limit: the same pages and the same posts with nothing but requests and json."""

from __future__ import annotations

import json
import sys
import time

import requests

POST = "/clouderp/api/erp/customerInvoices?viewUri=urn:be:bench"


def main(url: str, documents: int, body_bytes: int) -> None:
    session = requests.Session()
    session.trust_env = False
    began = time.perf_counter()
    read = _read(session, url)
    reading = time.perf_counter() - began
    body = json.dumps({"supplementaryMessages": [], "padding": "x" * body_bytes})
    token = _token(session, url)
    began = time.perf_counter()
    for _ in range(documents):
        answer = session.post(
            url + POST,
            data=body,
            headers={
                "Authorization": f"Bearer {token}",
                "x-qad-workspace-id": "10USA_10USACO",
                "Content-Type": "application/json",
            },
            timeout=30,
        )
        json.loads(answer.content)
    print(json.dumps({"read": read, "reading": reading, "posted": documents, "posting": time.perf_counter() - began}))


def _read(session: requests.Session, url: str) -> int:
    params, read = {"limit": "100"}, 0
    while True:
        answer = session.get(f"{url}/api/v2/invoices", params=params, auth=("test_sandbox_key", ""), timeout=30)
        page = json.loads(answer.content)
        read += len(page["list"])
        if "next_offset" not in page:
            return read
        params["offset"] = page["next_offset"]


def _token(session: requests.Session, url: str) -> str:
    form = {
        "grant_type": "password",
        "client_id": "sandbox-client",
        "username": "connector",
        "password": "sandbox-password",
    }
    answer = session.post(f"{url}/clouderp/oauth/token", data=form, timeout=30)
    return str(answer.json()["access_token"])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
