"""The file that describes a tenant."""

import datetime as dt
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenants import applying, exporting, setup_file, toml_text
from tenants.models import (
    AuditEntry,
    ChargebeeConnection,
    ChargebeeCredential,
    PolicySetting,
    ProbeResult,
    QadConnection,
    QadCredential,
    Tenant,
)
from tenants.setup_file import Setup

NOW = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
CANARY = "canary-7f3a91"
HERE = "https://erp.example.com:443"
FILE = """
[tenant]
slug = "acme"
name = "ACME Corporation"
mode = "test"
time_zone = "America/New_York"
base_currency = "USD"
business_entities = ["us"]

[chargebee]
site = "acme-test"
region = "EU"
api_key = { env = "ACME_KEY" }
calls_per_minute = 120

[qad]
base_url = "https://erp.example.com/clouderp"
domain = "10USA"
entity = "10USACO"
shared_set = "SS1"
reference_prefix = "CB"
client_id = "connector"
username = "connector"
password = "canary-7f3a91"

[qad.profile]
preset = "adaptive"
auth = { idle_seconds = 900 }

[policies]
zero_invoices = "skip"
minor_units = { CLP = 0 }
"""
VARIABLES = {"ACME_KEY": "test_" + CANARY}


def read(text=FILE, variables=VARIABLES):
    return setup_file.read(text, variables)


def problems(old, new):
    assert old in FILE
    found = read(FILE.replace(old, new))
    assert isinstance(found, list), found
    return [str(problem) for problem in found]


def applied(text=FILE):
    setup = read(text)
    assert isinstance(setup, Setup), setup
    return applying.apply(setup, actor="ada", now=NOW)


def test_it_reads_every_section():
    setup = read()
    assert setup.tenant["slug"] == "acme"
    assert setup.chargebee["api_key"].reveal() == "test_" + CANARY
    assert setup.qad["profile"]["auth"] == {"idle_seconds": 900}
    assert CANARY not in repr(setup)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('region = "EU"', 'region = "UK"', "[chargebee] region is 'UK'. Use one of: US, EU, AU."),
        ('mode = "test"', 'mode = "prod"', "[tenant] mode is 'prod'. Use one of: test, live."),
        ('"America/New_York"', '"New York"', "[tenant] time_zone is 'New York'. Use a name such as Europe/Berlin"),
        ('"USD"', '"usd"', "[tenant] base_currency is 'usd'."),
        ("[policies]", "[policy]", "[policy] is not a section of this file. Did you mean 'policies'?"),
        ("calls_per_minute", "calls_per_minut", "Did you mean 'calls_per_minute'?"),
        ("= 120", '= "120"', "[chargebee] calls_per_minute is '120'. Use a whole number from 1 to 100000."),
        ("= 120", "= true", "[chargebee] calls_per_minute is True."),
        ('slug = "acme"', "", '[tenant] has no slug. Add slug = "…" to [tenant].'),
        ('slug = "acme"', 'slug = "Acme!"', "[tenant] slug is 'Acme!'."),
        ('domain = "10USA"\n', "", "[qad] has no domain."),
        ('"skip"', '"never"', "[policies] Policy 'zero_invoices' is 'never'. Use one of: post, skip."),
        ("zero_invoices", "zero_invoice", "[policies] 'zero_invoice' is not a policy."),
        ('site = "acme-test"', 'site = "acme"', "live site"),
        ('mode = "test"', 'mode = "live"', "test site"),
        ("https://erp.example.com", "http://8.8.8.8", "Use https."),
        ("https://erp", "ftp://erp", "[qad] base_url is 'ftp://erp.example.com/clouderp'. Use a full address"),
        ("https://erp", "https://me:pw@erp", "Leave user and password out"),
        ("/clouderp", "/purchasing", "purchas"),
        ("idle_seconds = 900", 'idle_seconds = "x"', "[qad.profile] "),
        ('preset = "adaptive"', 'preset = "sap"', "no QAD profile preset 'sap'"),
        ('password = "canary-7f3a91"', 'password = "x"\ntoken = "y"', "not both"),
        ('password = "canary-7f3a91"', 'password = ""', "[qad] password is '…'."),
        ('["us"]', '"us"', "[tenant] business_entities is 'us'."),
        ('reference_prefix = "CB"', 'reference_prefix = "cb-1"', "two to six capital letters"),
        ('region = "EU"', 'region = "EU"\nbase_url = "https://evil.example"', "OUTBOUND_ALLOW"),
    ],
)
def test_each_mistake_is_a_sentence(old, new, sentence):
    found = problems(old, new)
    assert any(sentence in text for text in found), found


def test_all_mistakes_are_told_at_once():
    text = FILE.replace('region = "EU"', 'region = "UK"').replace('"USD"', '"usd"').replace('"skip"', '"never"')
    assert len(read(text)) == 3


@pytest.mark.parametrize("variables", [{}, {"ACME_KEY": " "}])
def test_an_absent_variable_is_named(variables):
    assert "Set the environment variable ACME_KEY" in str(read(variables=variables)[0])


def test_a_problem_never_quotes_a_secret():
    text = FILE.replace('api_key = { env = "ACME_KEY" }', f'api_key = {{ envi = "{CANARY}" }}')
    assert CANARY not in repr(read(text))


def test_a_problem_never_quotes_a_password_in_an_address():
    text = str(problems("https://erp", "https://me:hunter2@erp"))
    assert "Leave user and password out" in text and "://…@erp" in text
    assert "hunter2" not in text


def test_broken_toml_names_the_place():
    assert "line 2" in str(read("[tenant]\nslug = acme")[0])


@pytest.mark.django_db
def test_it_creates_a_tenant_with_everything():
    assert applied().is_new
    tenant = Tenant.objects.get()
    assert (tenant.slug, tenant.time_zone, tenant.business_entities) == ("acme", "America/New_York", ["us"])
    assert ChargebeeCredential.objects.get().api_key.reveal("Chargebee site acme-test (EU)") == "test_" + CANARY
    assert QadCredential.objects.get().password.reveal(HERE) == CANARY
    assert QadConnection.objects.get().profile_override == {"auth": {"idle_seconds": 900}}
    assert dict(PolicySetting.objects.values_list("key", "value")) == {
        "zero_invoices": "skip",
        "minor_units": {"CLP": 0},
    }


@pytest.mark.django_db
def test_applied_twice_it_changes_nothing_but_secrets_given_again():
    applied()
    lines = AuditEntry.objects.count()
    again = applied(FILE.replace('password = "canary-7f3a91"', "").replace('api_key = { env = "ACME_KEY" }', ""))
    assert (again.is_new, again.changed, AuditEntry.objects.count()) == (False, (), lines)
    assert QadCredential.objects.get().password.reveal(HERE) == CANARY


@pytest.mark.django_db
def test_what_changed_is_in_the_audit_and_no_secret_is():
    applied()
    applied(FILE.replace("= 120", "= 60"))
    line = AuditEntry.objects.filter(action="chargebeeconnection.changed").get()
    assert (line.before, line.after) == ({"calls_per_minute": 120}, {"calls_per_minute": 60})
    credential = AuditEntry.objects.filter(action="qadcredential.added").get()
    assert credential.after["password"] == "changed"
    assert all(CANARY not in repr([entry.before, entry.after]) for entry in AuditEntry.objects.all())


@pytest.mark.django_db
def test_a_tenants_mode_never_changes():
    applied()
    answer = applied(FILE.replace('mode = "test"', 'mode = "live"').replace("acme-test", "acme"))
    assert "mode never changes" in str(answer[0])
    assert Tenant.objects.get().mode == "test"


@pytest.mark.django_db
def test_a_taken_reference_prefix_names_its_tenant_and_nothing_is_saved():
    applied()
    answer = applied(FILE.replace('slug = "acme"', 'slug = "other"'))
    assert "tenant 'acme'" in str(answer[0])
    assert Tenant.objects.count() == ChargebeeConnection.objects.count() == 1


@pytest.mark.django_db
def test_another_site_is_not_pinned_and_another_instance_is_not_tested():
    tenant = applied().tenant
    ChargebeeConnection.objects.update(pinned_host="acme-test.chargebee.com")
    for side in ("chargebee", "qad"):
        ProbeResult.objects.create(tenant=tenant, side=side, subject="x", answer="ok", seconds=0, probed_at=NOW)
    applied(FILE.replace("= 120", "= 60"))
    assert ChargebeeConnection.objects.get().pinned_host
    assert ProbeResult.objects.count() == 2
    applied(FILE.replace("acme-test", "acme-two-test").replace("/clouderp", "/other"))
    assert ChargebeeConnection.objects.get().pinned_host == ""
    assert ProbeResult.objects.count() == 0


@pytest.mark.django_db
def test_a_token_takes_the_place_of_a_password():
    applied()
    applied(FILE.replace('password = "canary-7f3a91"', 'token = "t"'))
    row = QadCredential.objects.get()
    assert (row.password, row.token.reveal(HERE)) == (None, "t")


@pytest.mark.django_db
@pytest.mark.parametrize("profile", ["", 'profile = "offset-rest"'])
def test_an_export_holds_no_secret_and_applies_again(profile):
    start = FILE.index("[qad.profile]")
    text = FILE if not profile else FILE[:start] + profile + "\n" + FILE[FILE.index("[policies]") :]
    tenant = applied(text).tenant
    written = exporting.export(tenant)
    assert CANARY not in written
    assert "ACME_CHARGEBEE_API_KEY" in written
    again = applied(written)
    assert again.changed == ()
    Tenant.objects.filter(pk=tenant.pk).update(slug="gone")
    QadConnection.objects.update(reference_prefix="ZZ")
    assert applied(written).is_new
    assert exporting.export(Tenant.objects.get(slug="acme")) == written


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.booleans() | st.integers(-(2**60), 2**60) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(texts, values, max_size=4))
@pytest.mark.slow
def test_written_toml_reads_back_to_the_same(mapping):
    assert tomllib.loads(toml_text.dumps(mapping)) == mapping


def test_true_is_no_number_of_a_policy():
    (problem,) = setup_file.read('[tenant]\nslug = "acme"\n[policies]\nsettle_seconds = true\n', {})

    assert str(problem) == "[policies] Policy 'settle_seconds' is True. Use a whole number 1..86400."
