"""The trail leaves as files that can be checked, personal values can be erased, and nothing is deleted."""

import csv
import datetime as dt
import hashlib
import io
import json

import pytest
from django.core.management import get_commands, load_command_class
from django.core.management.base import CommandError

from tenants import retention, sealing, verifying
from tenants.models import AuditEntry, AuditPersonal, PolicySetting
from tenants.trail_files import Range, defused, write_csv, write_json_lines
from tests.builders import a_tenant
from tests.tenants.trail import NOW, about, entries, run

pytestmark = pytest.mark.django_db


def fails(*arguments):
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    return str(caught.value), caught.value.returncode


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_file_of_json_lines_is_enough_to_recompute_the_chain(tmp_path):
    tenant = a_tenant()
    entries(tenant, 3)
    about(tenant, "customer:é", before={"z": 1, "a": [1.5, 1e16]}, personal_after={"name": "Ada Canary"})
    sealing.seal_all(NOW)
    head = sealing.head_of(tenant.pk)
    waiting = about(tenant, "x:1")
    path = tmp_path / "out.jsonl"
    assert "5 entries written" in run("export_audit", "acme", path)
    *chained, last = lines_of(path)
    digest = "0" * 64
    for line in chained:
        assert line["previous"] == digest
        text = json.dumps(line["entry"], sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256((digest + text).encode()).hexdigest()
        assert line["digest"] == digest
    assert (digest, last["position"], last["entry"]["id"]) == (head.digest, None, waiting)
    assert "Canary" not in path.read_text()


def test_the_head_and_the_files_digest_are_kept_beside_it_and_the_export_is_recorded(tmp_path):
    tenant = a_tenant()
    entries(tenant, 2)
    sealing.seal_all(NOW)
    path = tmp_path / "out.csv"
    run("export_audit", "acme", path)
    note = json.loads((tmp_path / "out.csv.head.json").read_text())
    assert f"{note['head_position']}:{note['head_digest']}" == str(sealing.head_of(tenant.pk))
    assert note["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (note["rows"], note["first_position"], note["last_position"]) == (2, 1, 2)
    assert AuditEntry.objects.latest("pk").after == note


@pytest.mark.parametrize("payload", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "\ufeff=1", "\n=1"])
def test_a_spreadsheet_runs_nothing_from_the_file(payload):
    tenant = a_tenant()
    about(tenant, payload, reason=payload)
    out = io.BytesIO()
    write_csv(out, tenant.pk, Range())
    (row,) = csv.DictReader(io.StringIO(out.getvalue().decode("utf-8-sig"), newline=""))
    assert (row["subject"], row["reason"]) == (f"'{payload}", f"'{payload}")


def test_ordinary_text_is_left_alone():
    assert [defused(text) for text in ("", "a=1", "posting:1", " ")] == ["", "a=1", "posting:1", " "]


def test_days_are_days_of_the_tenants_time_zone(tmp_path):
    tenant = a_tenant(time_zone="America/New_York")
    for hour in (4, 5, 28, 29):  # midnight there is 05:00 UTC
        entries(tenant, 1, at=dt.datetime(2026, 11, 23, tzinfo=dt.UTC) + dt.timedelta(hours=hour))
    sealing.seal_all(NOW)
    path = tmp_path / "day.jsonl"
    run("export_audit", "acme", path, "--from", "2026-11-23", "--to", "2026-11-23")
    assert [line["position"] for line in lines_of(path)] == [2, 3]
    assert all(line["previous"] for line in lines_of(path))


def test_one_tenants_file_holds_nothing_of_another():
    mine, theirs = a_tenant(), a_tenant("other")
    about(theirs, "foreign:1")
    about(mine, "own:1")
    sealing.seal_all(NOW)
    about(theirs, "foreign:2")
    out = io.BytesIO()
    assert write_json_lines(out, mine.pk, Range()).rows == 1
    assert b"foreign" not in out.getvalue()


@pytest.mark.parametrize(
    "arguments",
    [("out.txt",), ("out.csv", "--from", "23.11.2026"), ("out.csv", "--from", "2026-02-01", "--to", "2026-01-01")],
)
def test_an_unclear_export_is_refused(tmp_path, arguments):
    a_tenant()
    assert fails("export_audit", "acme", tmp_path / arguments[0], *arguments[1:])[1] == 2
    assert list(tmp_path.iterdir()) == []


def test_an_export_never_overwrites(tmp_path):
    a_tenant()
    path = tmp_path / "out.csv"
    path.write_text("kept")
    assert "is there already" in fails("export_audit", "acme", path)[0]
    assert path.read_text() == "kept"


def test_erasing_empties_a_subject_and_the_chain_still_verifies():
    tenant, other = a_tenant(), a_tenant("other")
    for owner in (tenant, tenant, other):
        about(owner, "customer:1", personal_before={"name": "Ada"}, personal_after={"name": "Bea"})
    about(tenant, "customer:2", personal_after={"name": "Cyd"})
    sealing.seal_all(NOW)
    head = sealing.head_of(tenant.pk)
    assert "of 2 entries about customer:1" in run("erase_personal", "acme", "customer:1", "--reason", "Request 12")
    gone = AuditPersonal.objects.filter(tenant=tenant, entry__subject="customer:1")
    assert set(gone.values_list("before", "after", "salt")) == {(None, None, "")}
    assert AuditPersonal.objects.filter(erased_at=None).count() == 2
    sealing.seal_all(NOW)
    report = verifying.verify(tenant.pk, NOW, verifying.Kept.read(str(head)))
    assert (report.broken, report.has_kept, report.checked) == (0, True, 4)
    line = AuditEntry.objects.latest("pk")
    assert (line.action, line.subject, line.reason) == ("personal-erased", "customer:1", "Request 12")


def test_erasing_what_is_not_there_names_what_is():
    tenant = a_tenant()
    about(tenant, "customermapping:17", personal_after={"note": "Ada"})
    text, code = fails("erase_personal", "acme", "customer:17", "--reason", "x")
    assert "Did you mean: customermapping:17?" in text
    assert code == 2
    assert AuditEntry.objects.filter(tenant=tenant).count() == 1


def test_erasing_needs_a_reason():
    a_tenant()
    assert fails("erase_personal", "acme", "customer:1", "--reason", " ")[1] == 2


def test_what_is_older_than_the_retention_is_counted_and_stays():
    tenant = a_tenant()
    entries(tenant, 3, at=dt.datetime(2019, 11, 22, tzinfo=dt.UTC))
    entries(tenant, 2)
    sealing.seal_all(NOW)
    assert retention.older(tenant, NOW).entries == 0
    PolicySetting.objects.create(tenant=tenant, key="audit_retention_years", value=7)
    found = retention.older(tenant, NOW)
    assert (found.entries, found.last_position) == (3, 3)
    assert "3 entries are older, from 2019-11-22 to 2019-11-22, up to position 3." in run("audit_retention", "acme")
    assert AuditEntry.objects.filter(tenant=tenant).count() == 5


def test_a_leap_day_has_an_anniversary():
    leap = dt.datetime(2028, 2, 29, tzinfo=dt.UTC)
    assert retention.years_before(leap, 10) == dt.datetime(2018, 2, 28, tzinfo=dt.UTC)


@pytest.mark.parametrize("name", ["verify_audit", "export_audit", "erase_personal", "audit_retention"])
def test_help_has_an_example(name):
    command = load_command_class(get_commands()[name], name)
    assert f"Example:\n  manage.py {name}" in command.create_parser("manage.py", name).format_help()
