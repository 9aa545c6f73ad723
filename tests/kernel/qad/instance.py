"""The sandbox's QAD over loopback, and a client for either dialect on the sandbox's own clock."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
from collections.abc import Iterator
from typing import Any

from connector.http.session import Http
from connector.qad.auth import Credentials, TokenStore
from connector.qad.client import QadClient
from connector.qad.profile import Profile
from connector.sandbox.clock import Clock
from connector.sandbox.qad.instance import QadInstance
from connector.sandbox.server import serve
from tests.kernel.qad.cases import DIALECTS, tenant_profile
from tests.kernel.qad.scripted import ALLOW, CREDENTIALS

NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)


class Qad(QadInstance):
    """A QAD instance that can be served alone."""

    def time(self) -> float:
        return self.clock.time()

    def release(self) -> None:
        self.faults.release()


@dataclasses.dataclass
class Bench:
    """`qad` is the instance, `clock` its time."""

    qad: Qad
    clock: Clock
    url: str
    http: Http

    def client(
        self,
        dialect: str = "adaptive",
        *,
        credentials: Credentials = CREDENTIALS,
        profile: Profile | None = None,
        workspace: str = "",
        tokens: TokenStore | None = None,
        root: str = "",
        **options: Any,
    ) -> QadClient:
        return QadClient(
            self.http,
            self.url + (root or DIALECTS[dialect]),
            credentials,
            workspace,
            profile or tenant_profile(dialect),
            now=self.clock.now,
            tokens=tokens,
            **options,
        )

    def grants(self) -> int:
        return self.qad.requests["POST /clouderp/oauth/token"]


@contextlib.contextmanager
def a_bench() -> Iterator[Bench]:
    clock = Clock(NOON)
    qad = Qad(clock, seed=1, customers=0)
    qad.add_customer("C0000001", "Alder Foods Inc")
    with serve(qad) as server, Http(allow=ALLOW) as http:
        yield Bench(qad, clock, server.url, http)
