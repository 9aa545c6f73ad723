"""A document in a foreign currency has one named rate; QAD alone converts, and both agree on the base currency."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from connector.sandbox.qad.masters import rate
from mappings.listed import LISTS
from mappings.models import MirrorState
from syncs.models import Posting
from syncs.refreshing import refresh
from tests.flows.ledgers import assert_books_agree
from tests.flows.scene import Scene, a_scene

pytestmark = pytest.mark.django_db(transaction=True)
DIALECTS = ("adaptive", "offset-rest")


def read_lists(scene: Scene) -> None:
    with scene.qad() as client:
        refresh(scene.tenant, client, LISTS, timezone.now())


@pytest.mark.parametrize("dialect", ["adaptive", pytest.param("offset-rest", marks=pytest.mark.slow)])
def test_qads_rate_of_the_posting_date_is_named_and_qad_uses_the_same(dialect):
    with a_scene(dialect=dialect) as scene:
        scene.invoice(currency="EUR", total=100_00)
        read_lists(scene)

        scene.sync()

        posting = scene.posting()
        fx = posting.evidence["fx"]
        expected = rate("EUR", posting.posting_date)
        assert (Decimal(fx["rate"]), fx["source"], fx["base"]) == (expected, "QAD's list of exchange rates", "USD")
        assert fx["on"] == posting.posting_date.replace(day=1).isoformat()
        assert "exchange_rate" not in posting.document or posting.document["exchange_rate"] is None
        (document,) = scene.in_qad()
        assert Decimal(fx["total"]) == abs(Decimal(document["base_amount"]))


@pytest.mark.parametrize("dialect", ["adaptive", pytest.param("offset-rest", marks=pytest.mark.slow)])
def test_the_documents_own_rate_is_sent_named_and_used_where_the_tenant_wants_it(dialect):
    with a_scene(dialect=dialect, policies={"exchange_rate": "document"}) as scene:
        scene.invoice(currency="EUR", total=100_00, exchange_rate=1.25)

        scene.sync()

        fx = scene.posting().evidence["fx"]
        assert (fx["rate"], fx["source"], fx["total"]) == ("1.25", "Chargebee's rate of the document", "125.00")
        assert abs(Decimal(scene.in_qad()[0]["base_amount"])) == 125
        assert_books_agree(scene)


@pytest.mark.slow
def test_a_currency_without_a_rate_is_held_before_it_is_sent_and_goes_when_it_has_one():
    with a_scene() as scene:
        source_id = scene.invoice(currency="EUR", total=100_00)
        read_lists(scene)
        scene.tenant.qad_codes.filter(list_name="exchange_rates", code__startswith="EUR/").update(is_gone=True)

        scene.sync()

        assert (scene.sent(), scene.dispositions()) == (0, {"held": 1})
        assert "QAD has no exchange rate from EUR to USD" in scene.sentences(source_id)
        scene.tenant.qad_codes.update(is_gone=False)
        scene.sync()
        assert scene.posting().state == "posted"


def test_a_rate_that_nobody_told_is_left_to_qad_and_said_so():
    with a_scene() as scene:
        scene.invoice(currency="EUR", total=100_00)

        scene.sync()

        assert not MirrorState.objects.filter(list_name="exchange_rates").exists()
        assert "its list of rates was not read" in scene.posting().evidence["fx"]["source"]
        assert scene.posting().state == "posted"


@pytest.mark.slow
def test_a_tenant_with_another_base_currency_than_qad_posts_nothing():
    with a_scene() as scene:
        source_id = scene.invoice()
        read_lists(scene)
        scene.tenant.__class__.objects.update(base_currency="EUR")

        scene.sync()

        assert scene.sent() == 0
        assert "is set up with base currency EUR, but QAD keeps these books in USD" in scene.sentences(source_id)


@pytest.mark.slow
def test_a_document_in_base_currency_needs_no_rate():
    with a_scene() as scene:
        scene.invoice()
        scene.sync()
        assert Posting.objects.get().evidence is None
