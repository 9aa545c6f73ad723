"""A person sees for each entity and list what the instance really answers, and nothing is ever written."""

from __future__ import annotations

import pytest

from connector.http.session import Http
from connector.qad import probes
from connector.qad.auth import Credentials
from connector.qad.closed import ENTITIES, LISTS
from connector.qad.profile import load
from tests.kernel.qad.cases import DIALECTS, mapping

both = pytest.mark.parametrize("dialect", list(DIALECTS))


def _answers(client):
    return {probe.subject: probe for probe in probes.run(client)}


@both
def test_it_asks_everything_in_order_and_never_posts(bench, dialect):
    found = list(probes.run(bench.client(dialect)))
    assert [probe.subject for probe in found] == [
        "sign-in",
        "workspace",
        *(f"list {name}" for name in LISTS),
        *(f"entity {name}" for name in ENTITIES),
    ]
    posts = [name for name in bench.qad.requests if name.startswith("POST") and "oauth" not in name]
    assert posts == []
    answers = {probe.subject: probe.answer for probe in found}
    assert set(answers.values()) == {"ok", "empty"} | ({"not_configured"} if dialect == "offset-rest" else set())
    assert answers["list gl_accounts"] == answers["entity invoice"] == answers["entity adjustment"] == "ok"
    assert answers["list invoices"] == "empty"
    assert all(probe.seconds >= 0 and probe.sentence for probe in found)


def test_it_tells_five_answers_apart(bench):
    profile = load(
        mapping(
            lists={
                "projects": {"browse_id": "urn:browse:bebrowse:com.qad.erp.financials.project"},
                "items": "-",
                "tax_codes": {"key_prefix": "taxcode"},
            },
            writes={
                "invoice": {"path": "/api/erp/invoices"},
                "journal": "-",
                "customer_domain": {"constants": {"siteCode": ""}},
            },
        )
    )
    bench.qad.faults.add("forbidden", path="customerPayments", times=None)
    found = _answers(bench.client(profile=profile))
    expected = {
        "list customers": ("ok", "answers with rows"),
        "list invoices": ("empty", "without a row"),
        "list projects": ("wrong_path", "Browse not found"),
        "list items": ("not_configured", "Add [lists.items]"),
        "list tax_codes": ("wrong_profile", "has no 'taxcode.taxCode'"),
        "entity invoice": ("wrong_path", "Correct writes.invoice.path"),
        "entity payment": ("forbidden", "Access is denied"),
        "entity journal": ("not_configured", "Add [writes.journal]"),
        "entity customer_domain": ("not_configured", "writes.customer_domain.constants: siteCode"),
    }
    assert {subject: found[subject].answer for subject in expected} == {
        subject: answer for subject, (answer, _) in expected.items()
    }
    for subject, (_, words) in expected.items():
        assert words in found[subject].sentence


def test_it_stops_at_refused_credentials(bench):
    (probe,) = probes.run(bench.client(credentials=Credentials("connector", "wrong", client_id="sandbox-client")))
    assert (probe.subject, probe.answer) == ("sign-in", "refused_credentials")


def test_it_sees_refused_basic_credentials_at_the_first_list(bench):
    found = list(probes.run(bench.client("offset-rest", credentials=Credentials("connector", "wrong"))))
    assert [(probe.subject, probe.answer) for probe in found] == [
        ("sign-in", "ok"),
        ("workspace", "refused_credentials"),
    ]


def test_it_signs_in_afresh_so_that_a_changed_password_shows(bench):
    client = bench.client()
    client.sign_in()
    bench.qad.clouderp.login.password = "another"
    (probe,) = probes.run(client)
    assert probe.answer == "refused_credentials"


def test_it_sees_a_wrong_context_root(bench):
    (probe,) = probes.run(bench.client(root="/qad-central"))
    assert (probe.subject, probe.answer) == ("sign-in", "wrong_path")


def test_it_sees_missing_credentials(bench):
    (probe,) = probes.run(bench.client(credentials=Credentials()))
    assert (probe.answer, probe.subject) == ("not_configured", "sign-in")


def test_it_sees_that_nobody_is_there(bench):
    client = bench.client()
    client.session._url = "http://127.0.0.1:9/clouderp/oauth/token"
    (probe,) = probes.run(client)
    assert probe.answer == "unreachable"


def test_it_sees_an_address_that_may_not_be_called(bench):
    client = bench.client()
    with Http() as guarded:
        client.session._http = guarded
        (probe,) = probes.run(client)
    assert probe.answer == "unreachable"
    assert "127.0.0.1" in probe.sentence


def test_it_sees_another_workspace(bench):
    found = _answers(bench.client(workspace="10USA_OTHER"))
    assert found["workspace"].answer == "forbidden"
    bench.qad.modes.workspace = "empty"
    found = _answers(bench.client(workspace="10USA_OTHER"))
    assert found["workspace"].answer == "empty"
    other = load(mapping(context={"entity": "20EUCO"}))
    found = _answers(bench.client(profile=other, workspace="10USA_10USACO"))
    assert found["workspace"].answer == "forbidden"
    assert "answers for entity '10USACO'" in found["workspace"].sentence


def test_it_asks_for_the_allowed_methods_where_the_profile_says_so(bench):
    by_options = {"invoice": {"probe": "options"}, "payment": {"probe": "options", "path": "/api/erp/nothing"}}
    client = bench.client(profile=load(mapping(writes=by_options)))
    assert probes.probe_entity(client, "invoice").answer == "ok"
    assert probes.probe_entity(client, "payment").answer == "wrong_path"
    assert bench.qad.requests["OPTIONS /clouderp/api/erp/customerInvoices"] == 1


def test_it_sees_a_collection_under_a_wrong_path(bench):
    profile = load(mapping("offset-rest", writes={"invoice": {"path": "/v1/documents"}}))
    probe = probes.probe_entity(bench.client("offset-rest", profile=profile), "invoice")
    assert probe.answer == "wrong_path"
