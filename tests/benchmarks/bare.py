"""The limit: the same pages and the same posts with nothing but requests and json."""

from __future__ import annotations

import json
import sys
import time

import requests


def main(url: str, writes: str) -> None:
    session = requests.Session()
    session.trust_env = False
    began = time.perf_counter()
    read = _read(session, url)
    reading = time.perf_counter() - began
    with open(writes, encoding="utf-8") as lines:
        posts = [json.loads(line) for line in lines]
    token = _token(session, url)
    began = time.perf_counter()
    for post in posts:
        answer = session.request(
            post["method"],
            f"{url}/clouderp/{post['path'].lstrip('/')}",
            params=post["query"],
            data=post["body"].encode(),
            headers={"Authorization": f"Bearer {token}", "x-qad-workspace-id": "10USA_10USACO", **post["headers"]},
            timeout=30,
        )
        if not json.loads(answer.content)["submitResult"]["success"]:
            raise SystemExit(f"The bare loop's post was refused: {answer.text[:500]}")
    posting = time.perf_counter() - began
    print(json.dumps({"read": read, "reading": reading, "posted": len(posts), "posting": posting}))


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
    main(sys.argv[1], sys.argv[2])
