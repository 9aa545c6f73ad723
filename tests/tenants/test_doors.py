"""Every door of the admin, tried as the user of another tenant."""

import datetime as dt

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse

from tenants import audit
from tenants.admin import TenantScopedAdmin
from tenants.models import AuditEntry, AuditSeal, ProbeResult, Role
from tests.builders import a_tenant, a_user
from tests.tenants import doors

NOW = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.tenants.doors")]


def a_probe(tenant, subject, **fields):
    given = {"side": "qad", "answer": "ok", "sentence": "", "seconds": 0.1, "probed_at": NOW, **fields}
    return ProbeResult.objects.create(tenant=tenant, subject=subject, **given)


def an_entry(tenant, action):
    audit.record(tenant.pk, [audit.Line(action, "x:1")], actor="me", now=NOW)
    return AuditEntry.objects.latest("id")


@pytest.fixture
def mine():
    return a_tenant("mine")


@pytest.fixture
def theirs():
    return a_tenant("theirs", name="Foreign Holding")


@pytest.fixture
def page(client, mine):
    client.force_login(a_user({mine: Role.FINANCE_USER}))

    def get(name, *args, **query):
        return client.get(reverse(f"admin:{name}", args=args), query, follow=True)

    return get


def submit(client, name, *args, **data):
    return client.post(reverse(f"admin:{name}", args=args), data, follow=True)


def test_a_list_shows_own_rows_only(page, mine, theirs):
    a_probe(mine, "our-subject")
    a_probe(theirs, "foreign-subject")
    text = page("tenants_proberesult_changelist").content.decode()
    assert "our-subject" in text
    assert "foreign-subject" not in text


@pytest.mark.parametrize("door", ["change", "delete", "history"])
def test_another_tenants_row_does_not_exist(page, theirs, door):
    row = a_probe(theirs, "foreign-subject")
    answer = page(f"tenants_proberesult_{door}", row.pk)
    assert "foreign-subject" not in answer.content.decode()
    assert "exist" in answer.content.decode()


@pytest.mark.parametrize("query", [{"_to_field": "subject"}, {"_to_field": "sentence"}, {"_to_field": "tenant"}])
def test_rows_are_found_by_their_key_only(page, mine, query):
    row = a_probe(mine, "our-subject")
    assert page("tenants_proberesult_change", row.pk, **query).status_code == 400
    assert page("tenants_proberesult_changelist", **query).status_code == 400


def test_a_post_to_another_tenants_row_changes_nothing(client, page, theirs):
    row = a_probe(theirs, "foreign-subject")
    data = {"side": "qad", "subject": "taken", "answer": "x", "seconds": "1", "probed_at_0": "2026-11-23"}
    submit(client, "tenants_proberesult_change", row.pk, **data, probed_at_1="00:00", sentence="x")
    submit(client, "tenants_proberesult_delete", row.pk, post="yes")
    assert ProbeResult.objects.get(pk=row.pk).subject == "foreign-subject"


def test_a_new_row_belongs_to_the_current_tenant_whatever_is_posted(client, page, mine, theirs):
    data = {"side": "qad", "subject": "new", "answer": "x", "seconds": "1", "probed_at_0": "2026-11-23"}
    submit(client, "tenants_proberesult_add", **data, probed_at_1="00:00", sentence="x", tenant=theirs.pk)
    assert ProbeResult.objects.get(subject="new").tenant == mine


def test_a_constraint_that_holds_the_tenant_is_answered_in_the_form(client, page, mine):
    a_probe(mine, "twice")
    data = {"side": "qad", "subject": "twice", "answer": "x", "seconds": "1", "probed_at_0": "2026-11-23"}
    answer = submit(client, "tenants_proberesult_add", **data, probed_at_1="00:00", sentence="x")
    assert answer.status_code == 200
    assert "already exists" in answer.content.decode()


def test_choices_of_a_form_are_own_rows(page, mine, theirs):
    ours, foreign = an_entry(mine, "our.action"), an_entry(theirs, "foreign.action")
    text = page("tenants_auditpersonal_add", entry=foreign.pk).content.decode()
    assert f'<option value="{ours.pk}"' in text
    assert "foreign.action" not in text


def test_a_choice_of_another_tenant_is_refused_and_not_named(client, page, theirs):
    foreign = an_entry(theirs, "foreign.action")
    answer = submit(client, "tenants_auditseal_add", entry=foreign.pk, position=1, digest="x")
    assert AuditSeal.objects.count() == 0
    assert "foreign.action" not in answer.content.decode()


def test_an_autocomplete_widget_does_not_name_a_foreign_row(page, theirs):
    foreign = an_entry(theirs, "foreign.action")
    assert "foreign.action" not in page("tenants_auditseal_add", entry=foreign.pk).content.decode()


def test_autocomplete_finds_own_rows(page, mine, theirs):
    an_entry(mine, "our.action")
    an_entry(theirs, "foreign.action")
    asked = {"app_label": "tenants", "model_name": "auditseal", "field_name": "entry", "term": "action"}
    assert [row["text"] for row in page("autocomplete", **asked).json()["results"]] == ["our.action x:1"]


@pytest.mark.parametrize("field", ["tenant", "user"])
def test_autocomplete_does_not_list_tenants_or_users(page, field):
    asked = {"app_label": "tenants", "model_name": "membership", "field_name": field, "term": ""}
    assert page("autocomplete", **asked).status_code == 403


@pytest.mark.slow
def test_filters_of_a_list_name_own_rows(page, mine, theirs):
    for number, tenant in enumerate([mine, mine, theirs, theirs]):
        entry = an_entry(tenant, f"{tenant.slug}.action{number}")
        AuditSeal.objects.create(entry=entry, tenant=tenant, position=number, digest="d")
    text = page("tenants_auditseal_changelist").content.decode()
    assert "mine.action0" in text
    assert "theirs.action" not in text


def test_a_filter_by_a_foreign_row_shows_nothing(page, theirs):
    entry = an_entry(theirs, "foreign.action")
    AuditSeal.objects.create(entry=entry, tenant=theirs, position=1, digest="foreign-digest")
    text = page("tenants_auditseal_changelist", entry__id__exact=entry.pk).content.decode()
    assert "foreign" not in text


@pytest.mark.parametrize(
    "lookup",
    [
        "tenant__slug__startswith",
        "tenant__chargebee_credential__id__gt",
        "sentence__startswith",
        "tenant",
        "tenant__memberships__user__password__startswith",
        "answer__regex",
    ],
)
def test_only_listed_filters_are_looked_up(page, mine, lookup):
    a_probe(mine, "our-subject")
    assert page("tenants_proberesult_changelist", **{lookup: "1"}).status_code == 400


@pytest.mark.parametrize("lookup", ["answer", "answer__exact", "answer__in"])
def test_listed_filters_work(page, mine, lookup):
    a_probe(mine, "our-subject")
    assert "our-subject" in page("tenants_proberesult_changelist", **{lookup: "ok"}).content.decode()


def test_search_finds_own_rows(page, mine, theirs):
    a_probe(mine, "our-subject", sentence="needle")
    a_probe(theirs, "foreign-subject", sentence="needle")
    text = page("tenants_proberesult_changelist", q="needle").content.decode()
    assert "our-subject" in text
    assert "foreign-subject" not in text


@pytest.mark.parametrize("across", ["0", "1"])
def test_actions_reach_own_rows_also_when_all_are_selected(client, page, mine, theirs, across):
    ours, foreign = a_probe(mine, "our-subject"), a_probe(theirs, "foreign-subject")
    data = {"action": "overrule", "_selected_action": [ours.pk, foreign.pk], "select_across": across, "index": 0}
    submit(client, "tenants_proberesult_changelist", **data)
    reasons = dict(ProbeResult.objects.values_list("subject", "overridden_reason"))
    assert reasons == {"our-subject": "overruled", "foreign-subject": ""}


def test_delete_selected_names_and_deletes_own_rows(client, page, mine, theirs):
    ours, foreign = a_probe(mine, "our-subject"), a_probe(theirs, "foreign-subject")
    data = {"action": "delete_selected", "_selected_action": [ours.pk, foreign.pk], "select_across": 1, "index": 0}
    asked = submit(client, "tenants_proberesult_changelist", **data)
    assert "foreign-subject" not in asked.content.decode()
    submit(client, "tenants_proberesult_changelist", **data, post="yes")
    assert list(ProbeResult.objects.values_list("subject", flat=True)) == ["foreign-subject"]


def editable(row, answer):
    return {
        "form-TOTAL_FORMS": 1,
        "form-INITIAL_FORMS": 1,
        "form-0-id": row.pk,
        "form-0-answer": answer,
        "_save": "Save",
    }


def test_editing_in_the_list_reaches_own_rows(client, page, mine, theirs):
    ours, foreign = a_probe(mine, "our-subject"), a_probe(theirs, "foreign-subject")
    submit(client, "tenants_proberesult_changelist", **editable(foreign, "taken"))
    submit(client, "tenants_proberesult_changelist", **editable(ours, "empty"))
    assert dict(ProbeResult.objects.values_list("subject", "answer")) == {
        "our-subject": "empty",
        "foreign-subject": "ok",
    }


def test_an_inline_shows_own_rows_and_takes_no_foreign_ones(client, page, mine, theirs):
    ours, foreign = an_entry(mine, "our.action"), an_entry(theirs, "foreign.action")
    seal = AuditSeal.objects.create(entry=foreign, tenant=theirs, position=1, digest="foreign-digest")
    assert "foreign" not in page("tenants_auditentry_change", ours.pk).content.decode()
    data = {"seal-TOTAL_FORMS": 1, "seal-INITIAL_FORMS": 1, "seal-0-id": seal.pk, "seal-0-entry": ours.pk}
    submit(client, "tenants_auditentry_change", ours.pk, **data, **{"seal-0-position": 9, "seal-0-digest": "x"})
    assert AuditSeal.objects.get().digest == "foreign-digest"


def test_view_on_site_is_gone(client, page, mine):
    assert client.get(f"/admin/r/1/{mine.pk}/").status_code == 404


def test_a_change_writes_one_audit_line_and_nothing_in_djangos_log(client, page, mine):
    row = a_probe(mine, "our-subject")
    submit(client, "tenants_proberesult_changelist", **editable(row, "empty"))
    line = AuditEntry.objects.get()
    assert (line.tenant, line.action, line.subject) == (mine, "proberesult.changed", f"proberesult:{row.pk}")
    assert (line.before, line.after) == ({"answer": "ok"}, {"answer": "empty"})
    assert "proberesult.changed" in page("tenants_proberesult_history", row.pk).content.decode()


def test_a_user_without_a_tenant_is_kept_out(client):
    client.force_login(a_user())
    assert client.get("/admin/").status_code == 302
    assert client.get(reverse("admin:tenants_proberesult_changelist")).status_code == 302


def test_a_superuser_sees_no_business_data_without_membership(client, mine):
    row = a_probe(mine, "our-subject")
    client.force_login(a_user(is_superuser=True))
    assert client.get(reverse("admin:tenants_proberesult_changelist")).status_code == 403
    assert client.get(reverse("admin:tenants_proberesult_change", args=[row.pk])).status_code in (302, 403)


def test_an_auditor_reads_and_changes_nothing(client, mine):
    row = a_probe(mine, "our-subject")
    client.force_login(a_user({mine: Role.AUDITOR}))
    assert client.get(reverse("admin:tenants_proberesult_changelist")).status_code == 200
    assert client.get(reverse("admin:tenants_proberesult_change", args=[row.pk])).status_code == 200
    assert client.post(reverse("admin:tenants_proberesult_change", args=[row.pk]), {}).status_code == 403
    assert client.get(reverse("admin:tenants_proberesult_add")).status_code == 403
    assert client.post(reverse("admin:tenants_proberesult_delete", args=[row.pk])).status_code == 403


def test_roles_at_one_tenant_give_nothing_at_another(client, mine, theirs):
    row = a_probe(theirs, "read-only")
    client.force_login(a_user({mine: Role.FINANCE_USER, theirs: Role.AUDITOR}))
    client.post(reverse("admin:switch_tenant"), {"tenant": theirs.pk})
    assert "read-only" in client.get(reverse("admin:tenants_proberesult_changelist")).content.decode()
    assert client.post(reverse("admin:tenants_proberesult_change", args=[row.pk]), {}).status_code == 403


def test_a_tenant_that_is_not_ones_own_cannot_be_chosen(client, page, theirs):
    a_probe(theirs, "foreign-subject")
    submit(client, "switch_tenant", tenant=theirs.pk)
    assert "foreign-subject" not in page("tenants_proberesult_changelist").content.decode()
    session = client.session
    session["tenant"] = theirs.pk
    session.save()
    assert "foreign-subject" not in page("tenants_proberesult_changelist").content.decode()


def test_switching_does_not_lead_to_another_site(client, page, mine):
    answer = client.post(reverse("admin:switch_tenant"), {"tenant": mine.pk, "next": "https://evil.example/"})
    assert answer.url == reverse("admin:index")


def test_a_removed_member_loses_access_at_once(client, page, mine):
    mine.memberships.all().delete()
    assert client.get(reverse("admin:tenants_proberesult_changelist")).status_code == 302


def test_raw_ids_are_refused_since_their_label_names_any_row():
    class Raw(TenantScopedAdmin):
        raw_id_fields = ("entry",)

    with pytest.raises(ImproperlyConfigured):
        Raw(AuditSeal, doors.site)
