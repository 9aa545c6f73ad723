"""An instance that answers lists from a script, over loopback: for what no honest instance does."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from connector.http.session import Http
from connector.qad.auth import Credentials
from connector.qad.client import QadClient
from connector.qad.profile import Profile
from connector.sandbox.server import serve
from connector.sandbox.wire import Request, Response, reply_json

ALLOW = ("127.0.0.0/8",)
CREDENTIALS = Credentials("connector", "sandbox-password", client_id="sandbox-client")


class Script:
    """Tokens are always given; every other request takes the next answer, the last one again and again."""

    def __init__(self, *answers: Any) -> None:
        self._answers = deque(answers)
        self.asked: list[Request] = []

    def handle(self, request: Request) -> Response:
        if request.path.endswith("/oauth/token"):
            return reply_json(200, {"access_token": "scripted-access", "expires_in": 3600})
        self.asked.append(request)
        answer: Any = self._answers.popleft() if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Callable):
            answer = answer(request)
        return answer if isinstance(answer, Response) else reply_json(200, answer)

    def time(self) -> float:
        return 0.0

    def release(self) -> None:
        pass


@contextlib.contextmanager
def scripted(profile: Profile, *answers: Any) -> Iterator[tuple[QadClient, Script]]:
    script = Script(*answers)
    with serve(script) as server, Http(allow=ALLOW) as http:
        yield QadClient(http, f"{server.url}/erp", CREDENTIALS, "", profile), script
