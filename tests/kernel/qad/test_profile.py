"""A profile is refused with every mistake at once, each by the path to its key."""

from __future__ import annotations

import tomllib

import pytest

from connector.qad import presets
from connector.qad.closed import ENTITIES, FORBIDDEN_WORDS, LISTS, forbidden_word
from connector.qad.profile import ProfileError, dump, load, merge, reached
from tests.kernel.qad.cases import DIALECTS, mapping

REMOVED = "-"


def _mistakes(profile):
    with pytest.raises(ProfileError) as refused:
        load(profile)
    return {problem.subject.split("'")[1]: problem for problem in refused.value.problems}


@pytest.mark.parametrize("name", presets.PRESETS)
def test_it_loads_each_preset_as_it_is_shipped(name):
    profile = load(presets.preset(name))
    assert profile.name == name
    assert set(profile.lists) == set(LISTS)
    assert set(ENTITIES) - set(profile.writes) <= {"customer_domain", "business_relation"}  # one step there


@pytest.mark.parametrize("name", presets.PRESETS)
def test_it_dumps_what_loads_to_the_same_profile(name):
    profile = load(mapping(name))
    assert load(dump(profile)) == profile


@pytest.mark.parametrize("name", presets.PRESETS)
def test_it_tells_a_person_what_to_confirm(name):
    assert "CONFIRM AGAINST YOUR INSTANCE" in presets.source(name)
    assert tomllib.loads(presets.source(name)) == presets.preset(name)


def test_it_names_the_presets_when_asked_for_another():
    with pytest.raises(Exception, match="adaptive, offset-rest"):
        presets.preset("sap")


MISTAKES = [
    # what is laid over the preset, the path that must be named, a piece of the sentence
    ({"autth": {}}, "autth", "Did you mean 'auth'?"),
    ({"auth": {"style": "oauth1"}}, "auth.style", "'oauth1' is not one of 'oauth2_password'"),
    ({"auth": {"style": REMOVED}}, "auth.style", "it is missing"),
    ({"auth": {"session_seconds": "1800"}}, "auth.session_seconds", "'1800' is not a whole number"),
    ({"auth": {"session_seconds": True}}, "auth.session_seconds", "True is not a whole number"),
    ({"auth": {"idle_seconds": 30}}, "auth.idle_seconds", "not above refresh_margin_seconds"),
    ({"auth": {"token_path": "oauth/token"}}, "auth.token_path", "a path begins with '/'"),
    ({"auth": {"token_path": "/oauth/../token"}}, "auth.token_path", "holds no '..'"),
    ({"context": {"header_value": "{company}"}}, "context.header_value", "unknown placeholder {company}"),
    ({"context": {"header_value": "{domain"}}, "context.header_value", "braces"),
    ({"context": {"query": {"d": 1}}}, "context.query.d", "1 is not text"),
    ({"context": "10USA"}, "context", "is not a table"),
    ({"values": {"dates": "%d.%m"}}, "values.dates", "names %Y, %m and %d"),
    ({"values": {"amounts": "float"}}, "values.amounts", "'float' is not one of"),
    ({"browse": {"paging": {"size": 101}}}, "browse.paging.size", "1 to 100 rows"),
    ({"browse": {"paging": {"size": 0}}}, "browse.paging.size", "1 to 100 rows"),
    ({"browse": {"paging": {"more_pointer": REMOVED}}}, "browse.paging.more_pointer", "more = 'flag' needs it"),
    ({"browse": {"paging": {"more": "total"}}}, "browse.paging.total_pointer", "more = 'total' needs it"),
    ({"browse": {"paging": {"count_pointer": REMOVED}}}, "browse.paging.count_pointer", "count_path needs it"),
    ({"browse": {"rows": "data"}}, "browse.rows", "JSON pointer"),
    ({"browse": {"filters": {"operators": {"equal": "eq"}}}}, "browse.filters.operators.equal", "closed list"),
    ({"browse": {"filters": {"operators": REMOVED}}}, "browse.filters.operators", "it is missing"),
    ({"browse": {"path": REMOVED}}, "lists.invoices.path", "neither this list nor [browse] has a path"),
    ({"lists": {"invoices": {"browse_id": REMOVED}}}, "lists.invoices.browse_id", "a browse id or a path"),
    ({"lists": {"invoices": {"fields": {"number": REMOVED}}}}, "lists.invoices.fields.number", "cannot do without"),
    ({"lists": {"invoices": {"fields": {"curency": "c"}}}}, "lists.invoices.fields.curency", "Did you mean 'currency'"),
    ({"lists": {"orders": {"fields": {}}}}, "lists.orders", "not on the closed list"),
    ({"lists": {"suppliers": {"fields": {}}}}, "lists.suppliers", "names 'supplier'"),
    ({"writes": {"supplier_invoice": {}}}, "writes.supplier_invoice", "names 'supplier'"),
    ({"writes": {"sales_order": {}}}, "writes.sales_order", "not on the closed list"),
    ({"writes": {"invoice": {"path": REMOVED}}}, "writes.invoice.path", "it is missing"),
    ({"writes": {"invoice": {"path": ""}}}, "writes.invoice.path", "a write needs one"),
    ({"writes": {"invoice": {"path": "https://x.example/a"}}}, "writes.invoice.path", "begins with '/'"),
    ({"writes": {"invoice": {"path": "/api?x=1"}}}, "writes.invoice.path", "holds no"),
    ({"writes": {"invoice": {"path": "//x.example/a"}}}, "writes.invoice.path", "holds no"),
    ({"writes": {"invoice": {"collection": REMOVED}}}, "writes.invoice.collection", "names its collection"),
    ({"writes": {"invoice": {"fields": {"reference": REMOVED}}}}, "writes.invoice.fields.reference", "cannot do"),
    ({"writes": {"invoice": {"fields": {"total": ""}}}}, "writes.invoice.fields.total", "the name is empty"),
    ({"writes": {"invoice": {"fields": {"totl": "x"}}}}, "writes.invoice.fields.totl", "Did you mean 'total'"),
    ({"writes": {"invoice": {"max_length": {"reference": 0}}}}, "writes.invoice.max_length.reference", "at least 1"),
    ({"writes": {"invoice": {"max_length": {"ref": 9}}}}, "writes.invoice.max_length.ref", "no such field"),
    ({"writes": {"invoice": {"too_long": "wrap"}}}, "writes.invoice.too_long", "'cut', 'hold'"),
    ({"writes": {"invoice": {"receipt": {"number": REMOVED}}}}, "writes.invoice.receipt.number", "it is missing"),
    ({"writes": {"invoice": {"lines": REMOVED}}}, "writes.invoice.lines", "this document has lines"),
    (
        {"writes": {"invoice": {"lines": {"fields": {"gl_account": REMOVED}}}}},
        "writes.invoice.lines.fields.gl_account",
        "",
    ),
    ({"writes": {"invoice": {"lines": {"sign": "debit_credit"}}}}, "writes.invoice.lines.fields.debit", "needs the"),
    ({"writes": {"invoice": {"lines": {"plus": "left"}}}}, "writes.invoice.lines.plus", "'debit', 'credit'"),
    ({"writes": {"customer": {"lines": {"collection": "x", "fields": {}}}}}, "writes.customer.lines", "has no lines"),
    ({"writes": {"invoice": {"constants": {"rate": 1.5}}}}, "writes.invoice.constants.rate", "1.5 is not text"),
    ({"writes": {"invoice": {"constants": {"description": "x"}}}}, "writes.invoice.constants.description", "twice"),
    ({"writes": {"invoice": {"constants": {"dates.due": 1, "dates": 2}}}}, "writes.invoice.constants.dates", "both"),
    ({"writes": {"invoice": {"required_constants": ["x"]}}}, "writes.invoice.constants.x", "names it"),
    ({"writes": {"invoice": {"lookup": {"how": "guess"}}}}, "writes.invoice.lookup.how", "'browse', 'read'"),
    ({"writes": {"invoice": {"lookup": {"list": ""}}}}, "lists.?", "lookup.list names it"),
    ({"writes": {"invoice": {"lookup": {"how": "read"}}}}, "writes.invoice.keys.reference", "carries the reference"),
    ({"browse": {"filters": {"operators": {"equals": REMOVED}}}}, "browse.filters.operators.equals", "lookup.match"),
    (
        {"lists": {"customers": {"fields": {"external_reference": REMOVED}}}},
        "lists.customers.fields.external_reference",
        "",
    ),
    ({"writes": {"invoice": {"reversal": {"how": "undo"}}}}, "writes.invoice.reversal.how", "'negative_document'"),
    ({"writes": {"invoice": {"reversal": {"how": "own_entity"}}}}, "writes.invoice.reversal.entity", "not an entity"),
    ({"writes": {"invoice": {"reversal": {"link": {"id": "x"}}}}}, "writes.invoice.reversal.link.id", "closed list"),
    ({"replies": {"statuses": ["200"]}}, "replies.statuses.0", "'200' is not a whole number"),
    ({"replies": {"patterns": {"duplicate": ["("]}}}, "replies.patterns.duplicate.0", "not a regular expression"),
    ({"replies": {"patterns": {"duplicate": [""]}}}, "replies.patterns.duplicate.0", "every message"),
    ({"replies": {"patterns": {"duplicat": []}}}, "replies.patterns.duplicat", "closed list"),
    ({"replies": {"errors": "/errors"}}, "replies.errors", "is not a list"),
]


@pytest.mark.parametrize(("override", "path", "words"), MISTAKES, ids=[path for _, path, _ in MISTAKES])
def test_it_names_the_key_of_each_mistake(override, path, words):
    found = _mistakes(mapping(**override))
    assert path in found, sorted(found)
    assert words in str(found[path])
    assert found[path].fix


def test_it_tells_all_mistakes_at_once():
    assert len(_mistakes(mapping(nme="x", auth={"style": "x", "idle": 1}, replies={"errors": 1}))) == 4


@pytest.mark.parametrize("word", FORBIDDEN_WORDS)
@pytest.mark.parametrize(
    "override",
    [
        lambda word: {"writes": {"invoice": {"path": f"/api/erp/{word}s"}}},
        lambda word: {"writes": {"invoice": {"path": f"/api/erp/%{ord(word[0].upper()):02x}{word[1:]}"}}},
        lambda word: {"writes": {"invoice": {"collection": f"{word.upper()}V2s"}}},
        lambda word: {"writes": {"invoice": {"view_uri": f"urn:be:com.qad.{word}.I"}}},
        lambda word: {"writes": {"invoice": {"query": {"view": f"urn:{word}"}}}},
        lambda word: {"writes": {"invoice": {"read_path": f"/{word}"}}},
        lambda word: {"writes": {"invoice": {"lines": {"collection": f"{word}Lines"}}}},
        lambda word: {"lists": {"invoices": {"browse_id": f"urn:browse:{word.title()}s"}}},
        lambda word: {"lists": {"invoices": {"key_prefix": word}}},
        lambda word: {"lists": {"invoices": {"query": {"browseId": f"urn:browse:{word}"}}}},
        lambda word: {"browse": {"path": f"/{word}"}},
        lambda word: {"auth": {"token_path": f"/{word}/token"}},
    ],
)
def test_it_refuses_every_route_into_procurement(word, override):
    (problem,) = _mistakes(mapping(**override(word))).values()
    assert problem.code == "profile-forbidden"
    assert "never touches procurement or accounts-payable" in problem.message


def test_it_finds_a_forbidden_word_behind_two_layers_of_escapes():
    assert forbidden_word("/api/%2573upplierV2s") == "supplier"
    assert forbidden_word("/api/erp/customerV2s") == ""


def test_it_still_lets_a_customers_purchase_order_number_be_a_field():
    assert load(mapping()).writes["invoice"].fields["purchase_order"] == "purchaseOrderNumber"


def test_it_merges_tables_and_replaces_values():
    base = {"a": {"b": 1, "c": [1, 2]}, "d": "x"}
    assert merge(base, {"a": {"c": [3]}, "e": {"f": 1}, "d": "-"}) == {"a": {"b": 1, "c": [3]}, "e": {"f": 1}}
    assert base == {"a": {"b": 1, "c": [1, 2]}, "d": "x"}


def test_it_says_what_a_profile_reaches():
    assert reached(load(mapping("offset-rest")))[:2] == ("customer", "invoice")
    assert set(DIALECTS) == set(presets.PRESETS)
