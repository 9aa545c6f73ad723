"""The screens of this app: who reaches what, what they save, and that no page holds a secret or inline code."""

import datetime as dt
import logging
import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.urls import reverse

from connector.sandbox.server import serve
from connector.sandbox.world import World
from tenants import access, exporting
from tenants.access import MATRIX, Action
from tenants.admin import TenantScopedAdmin
from tenants.models import (
    AuditEntry,
    ChargebeeConnection,
    ChargebeeCredential,
    Membership,
    PolicySetting,
    ProbeResult,
    QadConnection,
    QadCredential,
    Role,
    Tenant,
)
from tenants.origins import web_origin
from tests.builders import a_tenant, a_user, connected

NOW = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
CANARY = "canary-7f3a91"
pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def server():
    with serve(World(seed=1, customers=3)) as running:
        yield running


def login(client, tenant, role=Role.INTEGRATION_ADMIN):
    user = a_user({tenant: role}) if role else a_user(is_superuser=True)
    client.force_login(user)
    return user


def url(name, *args):
    return reverse(f"admin:{name}", args=args)


def filled(client, address, **changed):
    """The page's form as a browser would send it, with changes."""
    form = client.get(address).context["adminform"].form
    data = {name: form[name].value() for name in form.fields}
    data = {name: value for name, value in data.items() if value not in (None, False)}
    return client.post(address, {**data, **changed}, follow=True)


def errors(answer):
    return str(answer.context["adminform"].form.errors)


# Who may do what.


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("action", list(Action))
def test_the_matrix_decides_at_ones_own_tenant_and_nowhere_else(role, action):
    mine, theirs = a_tenant("mine"), a_tenant("theirs")
    user = a_user({mine: role})
    assert access.may(user, action, mine) is (role in MATRIX[action])
    assert not access.may(user, action, theirs)
    assert not access.may(a_user(is_superuser=True), action, mine)


def test_each_role_has_its_task():
    def may(role):
        return {action.value for action in Action if role in MATRIX[action]}

    assert may(Role.AUDITOR) == {"view", "export", "view_audit"}
    assert {"change_mappings"} <= may(Role.FINANCE_USER)
    assert not {"replay", "manage_connections", "import_mappings"} & may(Role.FINANCE_USER)
    assert {"replay", "ignore", "mark_posted", "settle_conflict", "request_force"} <= may(Role.ACCOUNTANT)
    assert not {"ignore", "mark_posted", "settle_conflict", "request_force"} & may(Role.FINANCE_USER)
    assert {role for role in Role if "approve_force" in may(role)} == {Role.ACCOUNTANT, Role.INTEGRATION_ADMIN}
    assert not {"manage_connections", "change_mappings"} & may(Role.ACCOUNTANT)
    assert {"manage_tenant", "manage_connections", "import_mappings"} <= may(Role.INTEGRATION_ADMIN)
    assert "replay" not in may(Role.INTEGRATION_ADMIN)


def test_a_switched_off_login_may_nothing():
    tenant = a_tenant()
    user = a_user({tenant: Role.ACCOUNTANT})
    user.is_active = False
    assert not access.may(user, Action.VIEW, tenant)


def test_every_screen_of_the_site_knows_tenants_and_has_a_place():
    screens = admin.site._registry.values()
    assert [screen for screen in screens if not isinstance(screen, TenantScopedAdmin)] == []
    assert {model.__module__.split(".")[0] for model in admin.site._registry} & {"django_q"} == set()
    assert "auth.Group" not in {model._meta.label for model in admin.site._registry}


@pytest.mark.parametrize(
    ("view", "roles"),
    [
        ("test", {Role.INTEGRATION_ADMIN}),
        ("posting", {Role.INTEGRATION_ADMIN, Role.ACCOUNTANT}),
        ("override", {Role.INTEGRATION_ADMIN}),
        ("policies", {Role.INTEGRATION_ADMIN}),
    ],
)
@pytest.mark.parametrize("role", list(Role))
def test_views_of_a_tenant_ask_for_their_role(client, view, roles, role):
    mine, theirs = a_tenant("mine"), a_tenant("theirs")
    login(client, mine, role)
    assert client.post(url(f"tenants_tenant_{view}", mine.pk)).status_code == (
        302 if role in roles and view != "policies" else 200 if role in roles else 403
    )
    assert client.post(url(f"tenants_tenant_{view}", theirs.pk)).status_code == 404


def test_the_platform_reaches_no_view_inside_a_tenant(client):
    tenant = a_tenant()
    login(client, tenant, None)
    for view in ("test", "posting", "override", "policies"):
        assert client.post(url(f"tenants_tenant_{view}", tenant.pk)).status_code == 404


# Tenants.


def test_the_platform_adds_a_tenant_and_a_member(client):
    login(client, None, None)
    data = {"name": "Acme", "slug": "acme", "mode": "live", "time_zone": "Europe/Berlin", "base_currency": "eur"}
    client.post(url("tenants_tenant_add"), data)
    tenant = Tenant.objects.get()
    assert (tenant.mode, tenant.base_currency) == ("live", "EUR")
    user = a_user()
    client.post(url("tenants_membership_add"), {"tenant": tenant.pk, "user": user.pk, "role": "auditor"})
    assert Membership.objects.get().role == "auditor"
    assert set(AuditEntry.objects.values_list("action", flat=True)) == {"tenant.added", "membership.added"}


def test_an_integration_admin_changes_settings_but_neither_slug_nor_mode(client):
    tenant = a_tenant()
    login(client, tenant)
    address = url("tenants_tenant_change", tenant.pk)
    saved = filled(client, address, name="Renamed", slug="other", mode="live", business_entities="us, eu")
    assert "is decided anew within a minute" in saved.content.decode()
    tenant.refresh_from_db()
    assert (tenant.name, tenant.slug, tenant.mode) == ("Renamed", "acme", "test")
    assert tenant.business_entities == ["us", "eu"]
    assert AuditEntry.objects.get().after == {"name": "Renamed", "business_entities": ["us", "eu"]}


def test_members_see_their_tenants_only_and_cannot_add_any(client):
    mine, theirs = a_tenant("mine"), a_tenant("theirs")
    login(client, mine)
    text = client.get(url("tenants_tenant_changelist")).content.decode()
    assert "Mine" in text
    assert "Theirs" not in text
    assert client.get(url("tenants_tenant_add")).status_code == 403
    assert client.get(url("tenants_tenant_change", theirs.pk)).status_code == 302
    assert client.post(url("tenants_tenant_delete", mine.pk)).status_code == 403


def test_opening_a_tenant_works_in_it(client):
    first, second = a_tenant("first"), a_tenant("second")
    client.force_login(a_user({first: Role.AUDITOR, second: Role.AUDITOR}))
    client.get(url("tenants_tenant_change", second.pk))
    assert client.session["tenant"] == second.pk


def test_posting_is_switched_with_a_reason(client):
    tenant = a_tenant()
    user = login(client, tenant, Role.ACCOUNTANT)
    address = url("tenants_tenant_posting", tenant.pk)
    client.post(address, {"posting": "off", "reason": " "})
    assert Tenant.objects.get().is_posting_on
    client.post(address, {"posting": "off", "reason": "Month end"})
    assert not Tenant.objects.get().is_posting_on
    line = AuditEntry.objects.get()
    assert (line.action, line.actor, line.reason) == ("tenant.posting", user.username, "Month end")
    assert "Posting is off" in client.get("/admin/").content.decode()


def test_policies_are_changed_and_recorded(client):
    tenant = a_tenant()
    login(client, tenant)
    address = url("tenants_tenant_policies", tenant.pk)
    form = client.get(address).context["form"]
    data = {name: form[name].value() for name in form.fields}
    client.post(address, {**data, "zero_invoices": "skip", "minor_units": "CLP = 0"})
    assert dict(PolicySetting.objects.values_list("key", "value")) == {
        "zero_invoices": "skip",
        "minor_units": {"CLP": 0},
    }
    assert AuditEntry.objects.get().before == {"zero_invoices": "post", "minor_units": {}}


@pytest.mark.parametrize(
    ("key", "value", "stored"),
    [
        (
            "shared_customers",
            '{ types = "SUB WEB", added_after = "2026-01-01" }',
            {"types": "SUB WEB", "added_after": "2026-01-01"},
        ),
        ("shared_customers", "types = SUB", {"types": "SUB"}),
        ("country_codes", '{ GB = "UK", DE = "DEU" }', {"GB": "UK", "DE": "DEU"}),
        ("minor_units", "{ CLP = 0 }", {"CLP": 0}),
    ],
)
def test_a_table_may_be_entered_as_the_sentence_of_its_refusal_shows_it(client, key, value, stored):
    tenant = a_tenant()
    login(client, tenant)
    address = url("tenants_tenant_policies", tenant.pk)
    form = client.get(address).context["form"]
    client.post(address, {**{name: form[name].value() for name in form.fields}, key: value})
    assert PolicySetting.objects.get(key=key).value == stored


@pytest.mark.parametrize(
    ("key", "value"), [("minor_units", "CLP: 0"), ("minor_units", "CLP = 5"), ("attempt_budget", "0")]
)
def test_a_wrong_policy_is_refused(client, key, value):
    tenant = a_tenant()
    login(client, tenant)
    address = url("tenants_tenant_policies", tenant.pk)
    form = client.get(address).context["form"]
    data = {name: form[name].value() for name in form.fields}
    assert key in client.post(address, {**data, key: value}).context["form"].errors
    assert not PolicySetting.objects.exists()


# Connections.


def test_the_test_button_shows_each_step(client, server):
    tenant = connected(a_tenant(), server.url)
    login(client, tenant)
    text = client.post(url("tenants_tenant_test", tenant.pk), follow=True).content.decode()
    assert "QAD accepts the credentials." in text
    assert "steps were answered" in text
    assert "Sandbox." in text


def test_an_entity_that_failed_may_be_allowed_with_a_reason(client):
    tenant = a_tenant()
    login(client, tenant)
    ProbeResult.objects.create(
        tenant=tenant, side="qad", subject="invoice", answer="forbidden", seconds=0, probed_at=NOW
    )
    address = url("tenants_tenant_override", tenant.pk)
    client.post(address, {"subject": "invoice", "reason": ""})
    assert ProbeResult.objects.get().overridden_reason == ""
    client.post(address, {"subject": "invoice", "reason": "Agreed with IT"})
    assert ProbeResult.objects.get().overridden_reason == "Agreed with IT"
    assert AuditEntry.objects.get().reason == "Agreed with IT"


def test_a_chargebee_connection_is_entered_and_its_key_is_write_only(client):
    tenant = a_tenant()
    login(client, tenant)
    data = {"site": "acme-test", "region": "EU", "calls_per_minute": 50, "api_key": "live_" + CANARY, "base_url": ""}
    text = client.post(url("tenants_chargebeeconnection_add"), data, follow=True).content.decode()
    assert "begins with &#x27;live_&#x27;" in text, "a warning"
    assert ChargebeeCredential.objects.get().api_key.reveal("Chargebee site acme-test (EU)") == "live_" + CANARY
    page = client.get(url("tenants_chargebeeconnection_changelist"), follow=True).content.decode()
    assert CANARY not in page
    assert "leave blank to keep" in page


@pytest.mark.slow
def test_a_blank_secret_stays_and_a_new_one_replaces(client, server):
    tenant, here = connected(a_tenant(), server.url), web_origin(server.url)
    login(client, tenant)
    address = url("tenants_qadconnection_change", QadConnection.objects.get().pk)
    filled(client, address, concurrency=7)
    assert QadConnection.objects.get().concurrency == 7
    assert QadCredential.objects.get().password.reveal(here) == "sandbox-password"
    filled(client, address, password=CANARY)
    assert QadCredential.objects.get().password.reveal(here) == CANARY
    filled(client, address, token=CANARY)
    row = QadCredential.objects.get()
    assert (row.password, row.token.reveal(here)) == (None, CANARY)
    last = AuditEntry.objects.filter(action="qadcredential.changed").latest("id")
    assert last.after == {"token": "changed", "password": "changed"}


@pytest.mark.parametrize(
    ("model", "field", "value", "sentence"),
    [
        ("chargebee", "site", "acme", "live site"),
        ("chargebee", "site", "Acme Test!", "not a Chargebee site name"),
        ("chargebee", "base_url", "https://evil.example", "OUTBOUND_ALLOW"),
        ("qad", "base_url", "ftp://x", "Use a full address"),
        ("qad", "base_url", "https://u:p@erp.example.com", "Leave user and password out"),
        ("qad", "base_url", "https://erp.example.com/purchasing", "never touches procurement"),
        ("qad", "profile_text", "x = ", "not valid TOML"),
        ("qad", "profile_text", "x = 1", "x"),
        ("qad", "reference_prefix", "cb-1", "two to six"),
    ],
)
def test_what_does_not_fit_is_a_sentence_beside_its_field(client, server, model, field, value, sentence):
    tenant = connected(a_tenant(), server.url)
    login(client, tenant)
    row = {"chargebee": ChargebeeConnection, "qad": QadConnection}[model].objects.get()
    answer = filled(client, url(f"tenants_{model}connection_change", row.pk), **{field: value})
    assert sentence in errors(answer)


def test_another_instance_is_untested_and_the_profile_has_a_version(client, server):
    tenant = connected(a_tenant(), server.url)
    ProbeResult.objects.create(tenant=tenant, side="qad", subject="invoice", answer="ok", seconds=0, probed_at=NOW)
    login(client, tenant)
    address = url("tenants_qadconnection_change", QadConnection.objects.get().pk)
    filled(client, address, profile_text="[auth]\nidle_seconds = 900\n")
    row = QadConnection.objects.get()
    assert (row.profile_version, row.profile_override) == (2, {"auth": {"idle_seconds": 900}})
    assert not ProbeResult.objects.exists()


def test_a_host_is_looked_for_again_when_asked(client, server):
    tenant = connected(a_tenant(), server.url)
    ChargebeeConnection.objects.update(base_url="", pinned_host="acme-test.chargebee.com")
    login(client, tenant)
    address = url("tenants_chargebeeconnection_change", ChargebeeConnection.objects.get().pk)
    filled(client, address, calls_per_minute=10)
    assert ChargebeeConnection.objects.get().pinned_host
    filled(client, address, look_again="on")
    assert ChargebeeConnection.objects.get().pinned_host == ""


def test_unreadable_credentials_are_said_and_break_no_page(client, server, settings):
    tenant = connected(a_tenant(), server.url)
    login(client, tenant)
    settings.FERNET_KEYS = ["another-" + "a" * 40]
    page = client.get(url("tenants_qadconnection_changelist"), follow=True)
    assert page.status_code == 200
    assert "cannot be read with today" in page.content.decode()
    assert client.get(url("tenants_tenant_change", tenant.pk)).status_code == 200


def test_who_does_not_manage_connections_sees_no_credential_field(client, server):
    tenant = connected(a_tenant(), server.url)
    login(client, tenant, Role.AUDITOR)
    for model in ("chargebee", "qad"):
        text = client.get(url(f"tenants_{model}connection_changelist"), follow=True).content.decode()
        assert not re.search(
            "password|api_key|token", text.replace("csrfmiddlewaretoken", "").replace("password_change", "")
        )


# People and the trail.


def test_only_the_platform_sees_logins(client):
    tenant = a_tenant()
    login(client, tenant)
    assert client.get(url("auth_user_changelist")).status_code == 403
    login(client, tenant, None)
    assert client.get(url("auth_user_changelist")).status_code == 200


def test_a_login_is_added_changed_and_never_deleted(client):
    login(client, None, None)
    password = "a-long-" + CANARY
    client.post(url("auth_user_add"), {"username": "ada", "password1": password, "password2": password})
    user = User.objects.get(username="ada")
    assert user.check_password(password)
    client.post(url("auth_user_password_change", user.pk), {"password1": password + "2", "password2": password + "2"})
    assert set(AuditEntry.objects.values_list("action", "subject")) == {
        ("user.added", "user:ada"),
        ("user.password", "user:ada"),
    }
    assert "pbkdf2" not in str(list(AuditEntry.objects.values()))
    assert "md5" not in str(list(AuditEntry.objects.values()))
    assert client.post(url("auth_user_delete", user.pk), {"post": "yes"}).status_code == 403


def test_an_integration_admin_sees_own_members_and_changes_none(client):
    mine, theirs = a_tenant("mine"), a_tenant("theirs")
    a_user({theirs: Role.AUDITOR}, name="stranger")
    login(client, mine)
    text = client.get(url("tenants_membership_changelist")).content.decode()
    assert "stranger" not in text
    assert client.get(url("tenants_membership_add")).status_code == 403


def test_the_trail_is_read_only_and_ones_own(client):
    mine, theirs = a_tenant("mine"), a_tenant("theirs")
    entries = [
        AuditEntry.objects.create(tenant=tenant, at=NOW, actor="x", action="a.b", subject=f"s:{name}")
        for tenant, name in ((mine, "ours"), (theirs, "foreign"), (None, "platform"))
    ]
    login(client, mine, Role.AUDITOR)
    text = client.get(url("tenants_auditentry_changelist")).content.decode()
    assert ("s:ours" in text, "s:foreign" in text, "s:platform" in text) == (True, False, False)
    assert client.get(url("tenants_auditentry_change", entries[0].pk)).status_code == 200
    assert client.post(url("tenants_auditentry_change", entries[0].pk), {}).status_code == 403
    login(client, mine, None)
    text = client.get(url("tenants_auditentry_changelist")).content.decode()
    assert ("s:ours" in text, "s:foreign" in text, "s:platform" in text) == (False, False, True)


def test_a_list_of_many_rows_costs_few_queries(client, django_assert_max_num_queries):
    tenant = a_tenant()
    rows = [AuditEntry(tenant=tenant, at=NOW, actor="x", action="a.b", subject=f"s:{n}") for n in range(500)]
    AuditEntry.objects.bulk_create(rows)
    login(client, tenant)
    with django_assert_max_num_queries(12):
        client.get(url("tenants_auditentry_changelist"))


# Every page.


def every_page(client):
    """The HTML of each page that a click reaches from the start."""
    seen, waiting = {}, ["/admin/"]
    while waiting and len(seen) < 300:
        address = waiting.pop()
        if address in seen:
            continue
        answer = client.get(address)
        assert answer.status_code in (200, 302), address
        text = seen[address] = answer.content.decode() if answer.status_code == 200 else ""
        found = re.findall(r'href="([^"#]*)"', text)
        found += [answer.headers["Location"]] if answer.status_code == 302 else []
        for link in found:
            target = link.replace("&amp;", "&")
            if target.startswith("?"):
                continue
            if not target.startswith("/"):
                target = address.rsplit("/", 1)[0] + "/" + target
            if target.startswith("/admin/") and "/jsi18n" not in target and "export" not in target:
                waiting.append(target)
    return seen


INLINE = re.compile(
    r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\b(src|nonce)=)(?![^>]*application/json)", re.IGNORECASE
)


@pytest.fixture
def planted(client, server, caplog):
    """A tenant whose every credential is the canary, a look at both systems with it, and a user with all roles."""
    caplog.set_level(logging.DEBUG)
    tenant = connected(a_tenant(), server.url)
    ChargebeeCredential.objects.all().delete()
    QadCredential.objects.all().delete()
    ChargebeeCredential.objects.create(tenant=tenant, api_key=CANARY)
    QadCredential.objects.create(tenant=tenant, username="connector", password=CANARY, token=CANARY)
    client.force_login(a_user({tenant: list(Role)}, is_superuser=True))
    client.post(url("tenants_tenant_test", tenant.pk))
    return tenant


@pytest.mark.slow
def test_no_page_holds_a_secret_or_inline_code(client, planted, caplog):
    pages = every_page(client)
    assert len(pages) > 25
    assert {address for address, text in pages.items() if CANARY in text} == set()
    assert {address: INLINE.findall(text) for address, text in pages.items() if INLINE.search(text)} == {}
    assert CANARY not in caplog.text
    policy = client.get("/admin/").headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'self'" in policy


def test_no_table_export_or_repr_holds_a_secret(planted):
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            rows = [
                [bytes(cell) if isinstance(cell, memoryview) else cell for cell in row] for row in cursor.fetchall()
            ]
            assert CANARY not in repr(rows), table
    assert CANARY not in exporting.export(planted)
    assert CANARY not in repr([vars(row) for row in QadCredential.objects.all()])


def test_an_error_page_shows_no_secret(client, planted, settings, monkeypatch):
    settings.DEBUG = True
    client.raise_request_exception = False

    def broken(*args, **kwargs):
        raise RuntimeError("broken")

    monkeypatch.setattr("connector.chargebee.client.ChargebeeClient.list", broken)
    answer = client.post(url("tenants_tenant_test", planted.pk))
    assert answer.status_code == 500
    assert CANARY not in answer.content.decode()
