"""Credentials at rest."""

import copy
import json
import pickle

import pytest
from django.core import serializers
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import connection, transaction
from django.db.models import F, Value
from django.forms.models import model_to_dict

from tenants.fields import CredentialUnreadable, Secret
from tenants.models import ChargebeeCredential, QadCredential
from tests.builders import a_tenant

CANARY = "canary-7f3a91"
pytestmark = pytest.mark.django_db


@pytest.fixture
def row():
    return QadCredential.objects.create(tenant=a_tenant(), username="connector", password=CANARY)


def loaded(row):
    return QadCredential.objects.get(pk=row.pk)


def raw(row, column="password"):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM tenants_qadcredential WHERE id = %s", [row.pk])
        return bytes(cursor.fetchone()[0])


def test_it_reveals_what_was_saved(row):
    assert loaded(row).password.reveal() == CANARY
    assert row.password.reveal() == CANARY


def test_it_stores_ciphertext(row):
    assert CANARY.encode() not in raw(row)


@pytest.mark.parametrize("nothing", ["", None])
def test_it_keeps_not_set_apart_from_empty(row, nothing):
    row.password = nothing
    row.save()
    assert loaded(row).password is None


@pytest.mark.parametrize("show", [repr, str, lambda s: f"{s}", lambda s: f"{[s]!r}"])
@pytest.mark.parametrize("secret", [Secret(CANARY), Secret(token=b"x")])
def test_it_never_shows_itself(show, secret):
    assert CANARY not in show(secret)
    assert "secret" in show(secret)


def test_copies_dicts_pickles_and_fixtures_hold_no_plain_text(row):
    unsaved = QadCredential(tenant_id=row.tenant_id, password=CANARY)
    texts = [
        repr(model_to_dict(row)),
        repr(copy.deepcopy(unsaved).__dict__),
        repr(pickle.dumps(row)),
        *(serializers.serialize(kind, [row, unsaved]) for kind in ("json", "jsonl", "xml")),
    ]
    assert [text for text in texts if CANARY in text] == []
    with pytest.raises(ValueError, match="its own row"):
        pickle.dumps(unsaved)
    with pytest.raises(TypeError):
        json.dumps({"password": row.password})


def test_a_pickled_row_can_still_reveal(row):
    assert pickle.loads(pickle.dumps(row)).password.reveal() == CANARY
    assert copy.deepcopy(row).password.reveal() == CANARY


@pytest.mark.parametrize("value", [F("token"), Value("x"), "plain"])
def test_update_refuses_what_it_cannot_bind(row, value):
    with pytest.raises(FieldError), transaction.atomic():
        QadCredential.objects.filter(pk=row.pk).update(password=value)
    assert loaded(row).password.reveal() == CANARY


def test_bulk_update_cannot_destroy_it(row):
    with pytest.raises(FieldError), transaction.atomic():
        QadCredential.objects.bulk_update([row], ["password"])
    assert loaded(row).password.reveal() == CANARY


def test_bulk_create_and_update_to_nothing_work():
    QadCredential.objects.bulk_create([QadCredential(tenant=a_tenant(), password=CANARY)])
    row = QadCredential.objects.get()
    assert row.password.reveal() == CANARY
    QadCredential.objects.update(password=None)
    assert loaded(row).password is None


def test_a_text_moved_to_another_tenant_is_noticed(row):
    other = QadCredential.objects.create(tenant=a_tenant("other"), password="theirs")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tenants_qadcredential SET password = %s WHERE id = %s", [raw(row), other.pk])
    with pytest.raises(CredentialUnreadable, match="another row"):
        loaded(other).password.reveal()


def test_a_text_moved_to_another_field_is_noticed(row):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tenants_qadcredential SET token = password")
    with pytest.raises(CredentialUnreadable, match="another row"):
        loaded(row).token.reveal()


def test_a_list_of_values_cannot_reveal(row):
    secret = QadCredential.objects.values_list("password", flat=True)[0]
    with pytest.raises(CredentialUnreadable):
        secret.reveal()


def test_a_lost_key_breaks_no_query_and_no_save(row, settings):
    before = raw(row)
    settings.FERNET_KEYS = ["another-key-" + "a" * 40]
    broken = QadCredential.objects.get()
    with pytest.raises(CredentialUnreadable, match="FERNET_KEYS"):
        broken.password.reveal()
    broken.username = "renamed"
    broken.save()
    assert raw(row) == before, "an unreadable text goes back as it was"


def test_an_older_key_still_reads_and_is_told_apart(row, settings):
    new, old = "new-" + "n" * 40, "old-" + "o" * 40
    settings.FERNET_KEYS = [old]
    row.password = CANARY
    row.save()
    settings.FERNET_KEYS = [new, old]
    assert loaded(row).password.reveal() == CANARY
    assert not loaded(row).password.has_newest_key()


@pytest.mark.parametrize("keys", [[], None])
def test_it_never_falls_back_to_the_secret_key(settings, keys):
    settings.FERNET_KEYS = keys
    tenant = a_tenant()
    with pytest.raises(ImproperlyConfigured, match="FERNET_KEYS"):
        ChargebeeCredential.objects.create(tenant=tenant, api_key=CANARY)


def test_lookups_are_refused(row):
    with pytest.raises(FieldError):
        QadCredential.objects.filter(password="x").exists()
    assert QadCredential.objects.filter(password__isnull=False).count() == 1


def test_damaged_text_is_a_sentence(row):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tenants_qadcredential SET password = %s", [b"rubbish"])
    with pytest.raises(CredentialUnreadable, match="password"):
        loaded(row).password.reveal()
