"""Which hosts a site may answer at, and that the next one is tried only when the last is proved wrong."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from connector.chargebee.client import ChargebeeClient, Patience, try_host
from connector.chargebee.site import Outcome, Tried, hosts, is_test_site, key_warnings, pin, site_problems
from connector.http.session import Http
from tests.kernel.http.wire import ALLOW, certified, http, says, wire

EXPECTED = {
    ("US", "acme"): ("acme.chargebee.com",),
    ("US", "acme-test"): ("acme-test.chargebee.com",),
    ("EU", "acme"): ("acme.eu.chargebee.com", "acme.chargebee.com"),
    ("EU", "acme-test"): ("acme-test.eu.chargebee.com", "acme-test.chargebee.com"),
    ("AU", "acme"): ("acme.au.chargebee.com", "acme.chargebee.com"),
    ("AU", "acme-test"): ("acme-test.au.chargebee.com", "acme-test.chargebee.com"),
}


@pytest.mark.parametrize(("region", "site"), EXPECTED)
def test_it_lists_the_candidates_of_a_region_most_specific_first(region: str, site: str):
    assert hosts(site, region) == EXPECTED[region, site]


@pytest.mark.parametrize(("region", "site"), EXPECTED)
@pytest.mark.parametrize("is_regional", [True, False])
def test_it_asks_only_the_candidates_over_the_wire_and_pins_what_answers(
    tmp_path: Path, region: str, site: str, is_regional: bool
):
    context, bundle = certified(tmp_path, "*.chargebee.com", "*.eu.chargebee.com", "*.au.chargebee.com")
    candidates = EXPECTED[region, site]
    asked: list[str] = []
    with wire(says(http(200, b'{"list": []}')), context) as server:

        def resolve(host: str, port: int):
            asked.append(host)
            if not is_regional and host != candidates[-1]:
                raise socket.gaierror(socket.EAI_NONAME, "no")
            return [(socket.AF_INET, ("127.0.0.1", server.port))]

        with Http(allow=ALLOW, ca_bundle=bundle, resolve=resolve) as door:
            chosen = pin(candidates, lambda host: try_host(_client(door, f"https://{host}"), host))
    expected = candidates[0] if is_regional else candidates[-1]
    assert chosen.host == expected and server.names == [expected]
    assert asked == list(candidates[: candidates.index(expected) + 1])


def _no_name(host: str, port: int):
    raise socket.gaierror(socket.EAI_NONAME, "no")


def _silent(host: str, port: int):
    raise socket.gaierror(socket.EAI_AGAIN, "no")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (http(200, b'{"list": []}'), Outcome.ANSWERED),
        (http(404, b'{"api_error_code": "site_not_found", "message": "no"}'), Outcome.SITE_NOT_FOUND),
        (http(404, b'{"api_error_code": "resource_not_found", "message": "no"}'), Outcome.STOP),
        (http(404, b"<html>nginx</html>"), Outcome.STOP),
        (http(401, b'{"api_error_code": "api_authentication_failed", "message": "no"}'), Outcome.STOP),
        (http(403, b'{"api_error_code": "api_authorization_failed", "message": "no"}'), Outcome.STOP),
        (http(500, b"{}"), Outcome.STOP),
        (http(503, b'{"api_error_code": "site_not_ready", "message": "no"}'), Outcome.STOP),
        (http(301, b"", "Location: https://elsewhere.example/"), Outcome.STOP),
        (http(200, b"<html>hello</html>"), Outcome.STOP),
        (b"", Outcome.STOP),
    ],
)
def test_it_tells_the_wrong_host_from_every_other_failure(answer: bytes, outcome: Outcome):
    with wire(says(answer)) as server, Http(allow=ALLOW) as door:
        tried = try_host(_client(door, server.url, deadline=0.3), "h")
    assert tried.outcome is outcome and tried.message


@pytest.mark.parametrize(("resolve", "outcome"), [(_no_name, Outcome.NO_SUCH_NAME), (_silent, Outcome.STOP)])
def test_it_tells_a_missing_name_from_a_silent_name_server(resolve: Callable, outcome: Outcome):
    with Http(resolve=resolve) as door:
        assert try_host(_client(door, "https://acme.eu.chargebee.com"), "h").outcome is outcome


@pytest.mark.parametrize(
    ("outcomes", "host", "asked"),
    [
        ([Outcome.ANSWERED, Outcome.ANSWERED], "a", ["a"]),
        ([Outcome.NO_SUCH_NAME, Outcome.ANSWERED], "b", ["a", "b"]),
        ([Outcome.SITE_NOT_FOUND, Outcome.ANSWERED], "b", ["a", "b"]),
        ([Outcome.STOP, Outcome.ANSWERED], "", ["a"]),
        ([Outcome.SITE_NOT_FOUND, Outcome.STOP], "", ["a", "b"]),
        ([Outcome.SITE_NOT_FOUND, Outcome.NO_SUCH_NAME], "", ["a", "b"]),
    ],
)
def test_it_goes_on_only_after_proof(outcomes: list[Outcome], host: str, asked: list[str]):
    left = iter(outcomes)
    chosen = pin(("a", "b"), lambda candidate: Tried(candidate, next(left)))
    assert chosen.host == host and [tried.host for tried in chosen.tried] == asked


@pytest.mark.parametrize(
    ("site", "region", "mode", "codes"),
    [
        ("acme", "US", "live", []),
        ("acme-test", "EU", "test", []),
        ("a" * 50, "AU", "live", []),
        ("acme", "US", "test", ["site-mode"]),
        ("acme-test", "US", "live", ["site-mode"]),
        ("Acme", "US", "live", ["site-name"]),
        ("-acme", "US", "live", ["site-name"]),
        ("a" * 51, "US", "live", ["site-name"]),
        ("acme.evil", "US", "live", ["site-name"]),
        ("acme/..", "US", "live", ["site-name"]),
        ("acme\n", "US", "live", ["site-name"]),
        ("", "IN", "live", ["site-name", "site-region"]),
    ],
)
def test_it_refuses_a_site_that_does_not_fit_the_tenant(site: str, region: str, mode: str, codes: list[str]):
    assert [problem.code for problem in site_problems(site=site, region=region, mode=mode)] == codes


@pytest.mark.parametrize(
    ("site", "region"), [("acme.evil.example/", "US"), ("acme", "IN"), ("", "EU"), ("acme\n", "US")]
)
def test_it_makes_no_host_from_what_is_no_site(site: str, region: str):
    with pytest.raises(ValueError, match="not a Chargebee site"):
        hosts(site, region)


@pytest.mark.parametrize(
    ("mode", "key", "warned"),
    [("test", "test_x", 0), ("live", "live_x", 0), ("test", "live_x", 1), ("live", "test_x", 1), ("live", "x", 0)],
)
def test_it_only_warns_of_a_key_of_the_other_kind(mode: str, key: str, warned: int):
    found = key_warnings(mode=mode, api_key=key)
    assert len(found) == warned and not any("_x" in str(problem) for problem in found)


def test_it_knows_a_test_site_by_its_name():
    assert is_test_site("acme-test") and not is_test_site("acme-testing") and not is_test_site("acme")


def _client(door: Http, url: str, deadline: float = 5.0) -> ChargebeeClient:
    return ChargebeeClient(door, url, "test_key", deadline=deadline, patience=Patience(attempts=1))
