"""Tokens are fetched once, renewed in time, and never show."""

from __future__ import annotations

import threading
import time

import pytest

from connector.errors import Authentication, Configuration, Transient
from connector.qad.auth import Credentials, MemoryTokens
from connector.qad.payloads import render
from connector.qad.profile import load
from connector.sandbox.wire import Response, reply_html, reply_json
from tests.kernel.qad.cases import an_invoice, mapping, tenant_profile
from tests.kernel.qad.scripted import scripted

HOUR = 3600


def _ask(client):
    return len([row for page in client.browse("currencies") for row in page])


def _profile(**auth):
    return load(mapping(auth=auth))


def test_it_signs_in_once_for_many_calls(bench):
    client = bench.client()
    client.sign_in()
    client.sign_in()
    assert _ask(client) and _ask(client)
    assert bench.grants() == 1


def test_it_sends_the_password_in_the_form_and_never_in_the_address(bench):
    asked = []
    handle = bench.qad.handle
    bench.qad.handle = lambda request: asked.append(request) or handle(request)
    bench.client().sign_in()
    (request,) = asked
    assert request.query == ()
    assert dict(request.form()) == {
        "client_id": "sandbox-client",
        "grant_type": "password",
        "username": "connector",
        "password": "sandbox-password",
    }


def test_it_renews_before_the_session_ends(bench):
    bench.qad.modes.session_minutes, bench.qad.modes.idle_minutes = 60, 600
    client = bench.client(profile=_profile(idle_seconds=0))
    client.sign_in()
    bench.clock.advance(HOUR - 61)
    _ask(client)
    assert bench.grants() == 1
    bench.clock.advance(2)
    _ask(client)
    # the refresh token belongs to the dying session, so the password follows at once
    assert bench.grants() == 3
    assert bench.qad.requests["GET /clouderp/api/qracore/browses"] == 2


def test_it_renews_before_it_has_been_idle_for_too_long(bench):
    client = bench.client()
    client.sign_in()
    for _ in range(5):
        bench.clock.advance(1500)
        _ask(client)
    assert bench.grants() == 1
    bench.clock.advance(1741)
    _ask(client)
    assert bench.grants() == 2


def test_it_believes_the_profile_where_the_instance_tells_no_life(bench):
    client = bench.client(profile=_profile(session_seconds=600))
    client.sign_in()
    bench.clock.advance(541)
    _ask(client)
    assert bench.grants() == 3


def test_it_renews_once_after_a_401_and_the_call_goes_through(bench):
    client = bench.client()
    client.sign_in()
    bench.qad.clouderp.login.revoke_access()
    receipt = client.send(render(an_invoice(), client.profile), 10)
    assert receipt.number == "2026-CINV-000001"
    assert (bench.grants(), len(bench.qad.ledger()["documents"])) == (2, 1)


def test_it_signs_in_with_the_password_where_the_refresh_token_is_dead_too(bench):
    client = bench.client()
    client.sign_in()
    bench.qad.clouderp.login.revoke_all()
    assert client.send(render(an_invoice(), client.profile), 10).number
    assert bench.grants() == 3


def test_it_gives_up_after_the_second_401(bench):
    client = bench.client()
    bench.qad.faults.add("unauthorized", times=None)
    with pytest.raises(Authentication, match="does not accept the credentials"):
        client.send(render(an_invoice(), client.profile), 10)
    assert bench.qad.requests["POST /clouderp/api/erp/customerInvoices"] == 2
    assert bench.qad.ledger()["documents"] == []


def test_it_never_repeats_a_write_with_fixed_credentials(bench):
    client = bench.client("offset-rest", credentials=Credentials("connector", "wrong-password"))
    with pytest.raises(Authentication):
        client.send(render(an_invoice(), client.profile), 10)
    assert bench.qad.requests["POST /finrest/v1/ar-documents"] == 1


@pytest.mark.parametrize(
    ("credentials", "words"),
    [
        (Credentials("connector", "wrong", client_id="sandbox-client"), "invalid_grant, Bad credentials"),
        (Credentials("connector", "sandbox-password", client_id="other"), "invalid_client"),
    ],
)
def test_it_says_that_the_credentials_are_refused(bench, credentials, words):
    with pytest.raises(Authentication) as said:
        bench.client(credentials=credentials).sign_in()
    assert words in said.value.message
    assert "QAD connection" in said.value.message


def test_it_says_what_is_not_filled_in(bench):
    for style in ("oauth2_password", "basic", "bearer"):
        with pytest.raises(Configuration, match="The QAD connection has no"):
            bench.client(credentials=Credentials(), profile=_profile(style=style)).sign_in()


def test_it_says_that_the_context_root_is_wrong(bench):
    with pytest.raises(Configuration, match="no token service at /oauth/token below the base URL"):
        bench.client(root="/qad-central").sign_in()


@pytest.mark.parametrize(
    ("reply", "broken"),
    [
        (reply_json(503, {}, ("Retry-After", "9")), Transient),
        (reply_json(429, {}), Transient),
        (reply_html(502, "<h1>Bad gateway</h1>"), Transient),
        (Response(200, b"", fault="drop"), Transient),
        (reply_html(200, "<title>Sign in</title>"), Configuration),
        (reply_html(403, "<title>Just a moment</title>"), Configuration),
        (reply_html(401, "<title>401</title>"), Authentication),
        (reply_json(400, {"error": "invalid_grant"}), Authentication),
        (reply_json(200, {"token_type": "bearer"}), Configuration),
        (reply_json(200, {"access_token": ""}), Configuration),
        (reply_json(200, ["x"]), Configuration),
        (Response(200, b'{"access_token": "ab'), Configuration),
    ],
)
def test_it_says_why_no_token_came(reply, broken):
    with scripted(tenant_profile(), {}) as (client, script):
        script.handle = lambda request: reply
        with pytest.raises(broken) as said:
            client.sign_in()
    assert type(said.value) is broken
    assert "ab" not in said.value.message.split()


def test_it_uses_the_fixed_token_of_a_tenant():
    with scripted(load(mapping(auth={"style": "bearer"})), {"data": [], "auxillaryData": {"HasMoreParams": False}}) as (
        client,
        script,
    ):
        client.session._credentials = Credentials(token="tenant-token-1234")
        client.sign_in()
        _ask(client)
    assert script.asked[0].headers["authorization"] == "Bearer tenant-token-1234"


def test_it_shares_a_token_between_clients_through_the_store(bench):
    tokens = MemoryTokens()
    bench.client(tokens=tokens).sign_in()
    assert _ask(bench.client(tokens=tokens))
    assert bench.grants() == 1


def test_it_fetches_one_token_for_many_threads(bench):
    client = bench.client()
    client.sign_in()
    bench.qad.clouderp.login.revoke_all()
    refused = client.session.authorization()
    headers = []

    def renew():
        headers.append(client.session.renew(refused))

    threads = [threading.Thread(target=renew) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(headers)) == 1
    assert bench.grants() == 3


def test_it_lets_no_secret_into_the_record_of_a_call(bench):
    client = bench.client()
    receipt = client.send(render(an_invoice(), client.profile), 10)
    token = client.session.authorization().partition(" ")[2]
    with pytest.raises(Authentication) as said:
        bench.client(credentials=Credentials("connector", "open-sesame-77", client_id="sandbox-client")).sign_in()
    kept = (client.session._credentials, client.session._tokens.load())
    shown = f"{receipt.exchange}{said.value.exchange}{said.value}{kept}"
    for secret in (token, "sandbox-password", "open-sesame-77"):
        assert secret not in shown


@pytest.mark.slow
def test_it_keeps_one_deadline_over_both_attempts(bench):
    client = bench.client()
    client.sign_in()
    bench.qad.faults.add("unauthorized")
    bench.qad.faults.add("slow", path="oauth/token", delay=0.6)
    began = time.monotonic()
    with pytest.raises(Transient, match="no time was left"):
        client.send(render(an_invoice(), client.profile), 1.2)
    assert time.monotonic() - began < 2
    assert bench.qad.ledger()["documents"] == []
