"""Spreadsheets too large for a page: checked in the background, shown, saved once."""

import datetime as dt

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from mappings import transfer, uploading
from mappings.models import ItemMapping, MappingUpload, UploadState
from tests.builders import a_tenant, a_user
from tests.mappings.build import NOW, a_chart, an_item
from tests.mappings.files import cells_of, items_workbook

pytestmark = pytest.mark.django_db
LARGE = "admin:mappings_mappingupload"
LATER = NOW + dt.timedelta(minutes=1)


def rows(count, account="4000"):
    return [("item_price", f"p-{n}", "2026-01-01", account) for n in range(count)]


@pytest.fixture
def mine():
    tenant = a_tenant("mine")
    a_chart(tenant, "4000", "4100")
    return tenant


def received(tenant, content, name="m.xlsx"):
    return uploading.receive(tenant, "items", name, content, actor="mira", now=NOW)


def work(tenant, now=LATER):
    told = []
    done = uploading.work(tenant, clock=lambda: now, after_save=told.append)
    return done, told


def again(upload):
    upload.refresh_from_db()
    return upload


def test_it_is_checked_without_saving_and_saved_when_asked(mine):
    an_item(mine, "p-0", "4100")
    an_item(mine, "p-1", "4000")
    upload = received(mine, items_workbook(*rows(3)))
    assert work(mine) == (1, [])
    seen = again(upload)
    assert (seen.state, seen.total_rows, seen.done_rows) == (UploadState.CHECKED, 3, 3)
    assert (seen.created, seen.changed, seen.unchanged, seen.wrong) == (1, 1, 1, 0)
    assert [change["is_new"] for change in seen.shown["changes"]] == [False, True]
    place = seen.shown["headings"].index("gl_account")
    assert seen.shown["changes"][0]["cells"][place] == ["4100", "4000"]
    assert ItemMapping.objects.count() == 2
    assert uploading.ask_to_save(seen, may_leave_out=False, actor="noor", now=LATER)
    done, told = work(mine)
    assert (done, told[0].created, told[0].changed) == (1, 1, 1)
    assert again(upload).sentence == "Saved: 1 new, 1 changed, 1 unchanged."
    assert dict(ItemMapping.objects.values_list("key", "gl_account")) == dict.fromkeys(("p-0", "p-1", "p-2"), "4000")


def test_asking_twice_saves_once(mine):
    upload = received(mine, items_workbook(*rows(1)))
    work(mine)
    asked = [uploading.ask_to_save(again(upload), may_leave_out=False, actor="noor", now=LATER) for _ in range(3)]
    assert asked == [True, False, False]
    assert len(work(mine)[1]) == 1
    assert work(mine) == (0, [])


def test_wrong_rows_stop_it_unless_they_are_left_out(mine):
    upload = received(mine, items_workbook(*rows(2), ("item_price", "bad", "2026-01-01", "9999")))
    work(mine)
    seen = again(upload)
    assert (seen.created, seen.wrong) == (2, 1)
    assert seen.shown["errors"][0][:2] == [4, "gl_account"]
    assert not uploading.ask_to_save(seen, may_leave_out=False, actor="noor", now=LATER)
    assert "QAD does not have GL account 9999." in str(cells_of(uploading.wrong_rows(seen)))
    assert uploading.ask_to_save(seen, may_leave_out=True, actor="noor", now=LATER)
    work(mine)
    assert again(upload).sentence == "Saved: 2 new, 0 changed, 0 unchanged. 1 wrong rows were left out."
    assert ItemMapping.objects.count() == 2


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"no workbook", "m.xlsx", "no .xlsx workbook"),
        (b"\xff\xfe\x00", "m.csv", "not UTF-8"),
        (b"kind,colour\nitems,red\n", "m.csv", "Column 'colour' is not known."),
        (b"level,key\nitem,pro\n", "m.csv", "Column 'valid_from' is missing."),
    ],
)
def test_a_file_that_cannot_be_read_fails_with_a_sentence(mine, content, name, sentence):
    upload = received(mine, content, name)
    work(mine)
    assert (again(upload).state, sentence in upload.sentence) == (UploadState.FAILED, True), upload.sentence


def test_a_file_that_is_gone_fails_with_a_sentence(mine):
    upload = received(mine, items_workbook(*rows(1)))
    uploading.UploadStorage(name=upload.stored_as).remove()
    work(mine)
    assert "no longer here" in again(upload).sentence


@pytest.mark.parametrize("state", [UploadState.CHECKING, UploadState.SAVING])
def test_what_died_on_the_way_is_taken_up_again_and_not_before(mine, state):
    upload = received(mine, items_workbook(*rows(1)))
    MappingUpload.objects.filter(pk=upload.pk).update(state=state, changed_at=NOW)
    assert work(mine, NOW + uploading.PATIENCE)[0] == 0
    assert work(mine, NOW + uploading.PATIENCE + dt.timedelta(seconds=1))[0] == 1
    assert again(upload).state in (UploadState.CHECKED, UploadState.SAVED)


def test_a_mapping_that_changed_in_between_is_judged_again(mine):
    upload = received(mine, items_workbook(*rows(1)))
    work(mine)
    mine.qad_accounts.filter(code="4000").update(is_active=False)
    uploading.ask_to_save(again(upload), may_leave_out=False, actor="noor", now=LATER)
    work(mine)
    assert (again(upload).state, ItemMapping.objects.count()) == (UploadState.FAILED, 0)


# The pages


@pytest.fixture
def screen(client, mine):
    client.force_login(a_user({mine: "integration_admin"}))
    return client


@pytest.fixture
def handed_over(monkeypatch):
    told = []
    monkeypatch.setattr(transfer, "hand_over", told.append)
    monkeypatch.setattr("mappings.upload_admin.hand_over", told.append)
    return told


def send(client, content, name="m.xlsx"):
    return client.post(
        reverse("admin:mappings_itemmapping_import"),
        {"import_file": SimpleUploadedFile(name, content), "resource": "0"},
    )


def page(client, upload):
    return client.get(reverse("admin:mappings_mappingupload_change", args=[upload.pk]))


def test_a_large_file_goes_to_the_background_and_its_page_shows_how_far_it_is(screen, mine, handed_over, monkeypatch):
    monkeypatch.setattr(transfer, "LARGEST_ON_A_PAGE", 1000)
    reply = send(screen, items_workbook(*rows(40)))
    upload = MappingUpload.objects.get()
    assert reply.url == reverse("admin:mappings_mappingupload_change", args=[upload.pk])
    assert handed_over == [mine]
    waiting = page(screen, upload)
    assert (waiting["Refresh"], "Waiting to be checked" in waiting.content.decode()) == ("2", True)
    work(mine)
    checked = page(screen, upload)
    assert not checked.has_header("Refresh")
    assert "Save these changes" in checked.content.decode()
    screen.post(reverse("admin:mappings_mappingupload_save", args=[upload.pk]))
    work(mine)
    assert "Saved: 40 new" in page(screen, upload).content.decode()


def test_a_small_file_is_shown_at_once(screen, mine, handed_over):
    assert "Save these changes" in send(screen, items_workbook(*rows(3))).content.decode()
    assert not MappingUpload.objects.exists()


def test_the_page_offers_the_wrong_rows_as_a_file(screen, mine, handed_over):
    upload = received(mine, items_workbook(*rows(1, "9999")))
    work(mine)
    assert "Download the wrong rows" in page(screen, upload).content.decode()
    reply = screen.get(reverse("admin:mappings_mappingupload_wrong_rows", args=[upload.pk]))
    assert "9999" in str(cells_of(reply.content))


def test_hostile_cells_are_inert(screen, mine, handed_over):
    upload = received(mine, items_workbook(("item_price", "<script>alert(1)</script>", "2026-01-01", "4000")))
    work(mine)
    assert "<script>alert(1)" not in page(screen, upload).content.decode()


@pytest.mark.parametrize("role", ["finance_user", "accountant", "auditor"])
def test_only_the_integration_admin_sees_and_saves_uploads(client, mine, role):
    upload = received(mine, items_workbook(*rows(1)))
    work(mine)
    client.force_login(a_user({mine: role}))
    assert page(client, upload).status_code == 403
    assert client.post(reverse("admin:mappings_mappingupload_save", args=[upload.pk])).status_code == 403
    assert again(upload).state == UploadState.CHECKED


def test_another_tenant_s_admin_neither_sees_nor_saves_it(client, mine):
    upload = received(mine, items_workbook(*rows(1)))
    work(mine)
    client.force_login(a_user({a_tenant("theirs"): "integration_admin"}))
    assert page(client, upload).status_code == 302
    for name in ("save", "wrong_rows"):
        assert client.post(reverse(f"admin:mappings_mappingupload_{name}", args=[upload.pk])).status_code == 403
    assert again(upload).state == UploadState.CHECKED


# What other people and dead workers do meanwhile


def asked(tenant, upload):
    work(tenant)
    assert uploading.ask_to_save(again(upload), may_leave_out=False, actor="noor", now=LATER)


def codes(tenant):
    return dict(ItemMapping.objects.filter(tenant=tenant).values_list("key", "gl_account"))


def test_a_row_that_somebody_changed_after_the_check_is_not_overwritten(mine):
    row = an_item(mine, "p-0", "4000")
    upload = received(mine, items_workbook(*rows(2)))
    work(mine)
    ItemMapping.objects.filter(pk=row.pk).update(gl_account="4100")
    assert uploading.ask_to_save(again(upload), may_leave_out=True, actor="noor", now=LATER)
    assert work(mine)[1] == []
    assert (again(upload).state, codes(mine)) == (UploadState.FAILED, {"p-0": "4100"})
    assert "other changes came in between" in upload.sentence


def test_a_worker_that_died_right_after_its_save_is_followed_by_none_that_saves_again(mine):
    upload = received(mine, items_workbook(*rows(1)))
    asked(mine, upload)
    with pytest.raises(KeyboardInterrupt):
        uploading.work(mine, clock=lambda: LATER, after_save=dies)
    assert (again(upload).state, codes(mine)) == (UploadState.SAVING, {"p-0": "4000"})
    ItemMapping.objects.update(gl_account="4100")
    done, told = work(mine, LATER + uploading.PATIENCE + dt.timedelta(seconds=1))
    assert (done, [saved.keys for saved in told]) == (1, [frozenset({("items",)})])
    assert (again(upload).state, upload.sentence) == (
        UploadState.SAVED,
        "Saved: 1 new, 0 changed, 0 unchanged.",
    )
    assert codes(mine) == {"p-0": "4100"}


def dies(saved):
    raise KeyboardInterrupt


def test_a_save_that_was_overtaken_is_undone(mine):
    upload = received(mine, items_workbook(*rows(1)))
    asked(mine, upload)
    slow = MappingUpload.objects.select_related("tenant").get()
    assert uploading._claim(slow, UploadState.SAVING, LATER)
    MappingUpload.objects.update(sentence="Saved: by the other one.")
    assert uploading._save(slow, lambda: LATER) is None
    assert (codes(mine), again(upload).sentence) == ({}, "Saved: by the other one.")


def test_a_check_that_was_overtaken_takes_no_step_back(mine):
    upload = received(mine, items_workbook(*rows(1)))
    slow = MappingUpload.objects.select_related("tenant").get()
    assert uploading._claim(slow, UploadState.CHECKING, LATER)
    MappingUpload.objects.update(state=UploadState.ASKED)
    uploading._check(slow, lambda: LATER)
    assert again(upload).state == UploadState.ASKED


def ends_its_worker(mine, monkeypatch, times, state=UploadState.CHECKING):
    """Each time the worker dies on the way, and the next one comes after a while; returns the moment after the last."""
    name = "_check" if state == UploadState.CHECKING else "_save"
    monkeypatch.setattr(uploading, name, lambda *given: dies(None))
    now = LATER
    for _ in range(times):
        with pytest.raises(KeyboardInterrupt):
            work(mine, now)
        now += uploading.PATIENCE + dt.timedelta(seconds=1)
    monkeypatch.undo()
    return now


def test_a_check_that_ends_its_worker_is_given_up_after_three_tries(mine, monkeypatch, client):
    upload = received(mine, items_workbook(*rows(1)))
    now = ends_its_worker(mine, monkeypatch, 3)

    assert work(mine, now)[0] == 1

    assert again(upload).state == UploadState.FAILED
    assert "Its check was broken off 3 times before its end" in upload.sentence
    assert work(mine, now + dt.timedelta(days=1)) == (0, [])
    client.force_login(a_user({mine: "integration_admin"}))
    assert "Check it again" in client.get(reverse(f"{LARGE}_change", args=[upload.pk])).content.decode()
    client.post(reverse(f"{LARGE}_check", args=[upload.pk]))
    assert work(mine, now)[0] == 1
    assert (again(upload).state, upload.created) == (UploadState.CHECKED, 1)


def test_a_check_that_ends_well_at_the_third_try_is_shown(mine, monkeypatch):
    upload = received(mine, items_workbook(*rows(1)))
    now = ends_its_worker(mine, monkeypatch, 2)
    work(mine, now)
    assert again(upload).state == UploadState.CHECKED


def test_a_save_that_ends_its_worker_is_given_up_and_its_tries_are_its_own(mine, monkeypatch):
    upload = received(mine, items_workbook(*rows(1)))
    now = ends_its_worker(mine, monkeypatch, 2)
    work(mine, now)
    assert uploading.ask_to_save(again(upload), may_leave_out=False, actor="noor", now=now)
    monkeypatch.setattr("tests.mappings.test_uploading.LATER", now)
    now = ends_its_worker(mine, monkeypatch, 3, UploadState.SAVING)
    work(mine, now)
    assert (again(upload).state, ItemMapping.objects.count()) == (UploadState.FAILED, 0)
    assert "Its saving was broken off 3 times before its end" in upload.sentence


def test_what_was_saved_counts_as_saved_when_what_follows_ends_its_worker_each_time(mine):
    upload = received(mine, items_workbook(*rows(1)))
    work(mine)
    uploading.ask_to_save(again(upload), may_leave_out=False, actor="noor", now=LATER)
    now = LATER
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            uploading.work(mine, clock=lambda at=now: at, after_save=dies)
        now += uploading.PATIENCE + dt.timedelta(seconds=1)
    assert work(mine, now) == (1, [])
    assert (again(upload).state, upload.sentence) == (UploadState.SAVED, "Saved: 1 new, 0 changed, 0 unchanged.")


def test_only_who_uploads_asks_for_another_check_and_only_of_what_was_given_up(mine, client):
    upload = received(mine, items_workbook(*rows(1)))
    for state, tries in ((UploadState.CHECKED, 1), (UploadState.FAILED, 1)):
        MappingUpload.objects.update(state=state, tries=tries)
        client.force_login(a_user({mine: "integration_admin"}, name=f"{state}"))
        client.post(reverse(f"{LARGE}_check", args=[upload.pk]))
        assert again(upload).state == state
    MappingUpload.objects.update(state=UploadState.FAILED, tries=3)
    client.force_login(a_user({mine: "finance_user"}, name="fay"))
    assert client.post(reverse(f"{LARGE}_check", args=[upload.pk])).status_code == 403
    assert again(upload).state == UploadState.FAILED
