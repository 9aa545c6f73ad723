"""Every content that a document ever had is kept, with the time in which it was the latest."""

from __future__ import annotations

import datetime as dt
import json
import zlib

import pytest

from syncs.keeping import keep
from syncs.models import Kind, SourceDocument, SourceVersion
from syncs.rows import row_of as _row
from tests.builders import a_tenant

pytestmark = pytest.mark.django_db
FIRST = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


def read(tenant, day, **fields):
    keep(tenant, Kind.INVOICE, [_row({"id": "INV-1", **fields})], now=FIRST + dt.timedelta(days=day))


def test_it_keeps_what_a_document_was_before_each_change():
    tenant = a_tenant()
    read(tenant, 0, resource_version=1, total=100)
    read(tenant, 1, resource_version=1, total=100)
    read(tenant, 2, resource_version=2, total=200)
    read(tenant, 5, resource_version=3, total=300)

    versions = list(SourceVersion.objects.filter(tenant=tenant))

    assert [json.loads(zlib.decompress(one.raw))["total"] for one in versions] == [100, 200]
    assert [one.resource_version for one in versions] == [1, 2]
    assert [(one.seen_at - FIRST).days for one in versions] == [0, 2]
    assert [(one.replaced_at - FIRST).days for one in versions] == [2, 5]
    assert SourceDocument.objects.get().content["total"] == 300
