"""Three books of one tenant: QAD's ledger, what the product says it posted, and what an independent oracle expects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from mappings.models import AccountRole, CustomerMapping
from syncs.books import trial_balance
from syncs.models import Posting
from tests.flows.scene import Scene
from tests.flows.setting import ROLES
from tests.oracle.books import Books
from tests.oracle.fold import fold
from tests.oracle.model import Document, Earlier, Key, Mapping, Policies

LATER = ("application", "unapplication", "reversal")  # what follows a document that was posted
Net = dict[tuple[str, str], Decimal]  # (account, currency) -> debit less credit


def qads(ledger: dict[str, Any]) -> Net:
    balances = ledger["trial_balance"].items()
    return {(account, currency): Decimal(text) for account, row in balances for currency, text in row.items()}


def ours(scene: Scene) -> Net:
    sides = trial_balance(scene.tenant).items()
    return {key: debit - credit for key, (debit, credit) in sides if debit != credit}


def oracles(scene: Scene, before: Iterable[Document] = (), **policies: Any) -> Books:
    """What an accountant who knows only Chargebee's documents and the mapping would have in the books.

    `before`: versions of documents that were posted and are not the present ones, oldest first.
    """
    site = scene.world.chargebee
    documents = {"invoices": "invoice", "credit_notes": "credit_note", "transactions": "transaction"}
    posted: dict[Key, list[Earlier]] = defaultdict(list)
    for document in before:
        kind = document["type"] if document["object"] == "transaction" else document["object"]
        posted[kind, document["id"]].append(Earlier(document))
    mapping = the_mapping(scene)
    told = replace(mapping, posted_before=posted, policies=replace(mapping.policies, **policies))
    return fold({name: site.all(kind) for name, kind in documents.items()}, told)


def the_mapping(scene: Scene) -> Mapping:
    """`setting.map_everything` in the oracle's words."""
    links = CustomerMapping.objects.filter(tenant=scene.tenant).values_list("chargebee_id", "qad_code")
    roles = AccountRole.objects.filter(tenant=scene.tenant).values_list("role", "gl_account")
    prices = scene.world.chargebee.all("item_price")
    return Mapping(
        zone=scene.tenant.time_zone,
        customers=dict(links),
        roles={**dict(roles), "accounts_receivable": ROLES["receivable"]},
        families={"cloud-platform": "4000", "services": "4300"},
        catalogue={price["id"]: (price["item_id"], price["item_family_id"]) for price in prices},
        charge="4400",
        taxes={("", "", ""): "2230"},
        banks={("", "", ""): "1090", ("not_applicable", "", ""): "1010"},
        policies=Policies(rounding_tolerance=5, offline={"": "chargebee"}),
    )


def net(books: Books) -> Net:
    """Over all periods, without what evens out."""
    sums: Net = defaultdict(Decimal)
    for (account, currency, _), (debit, credit) in books.trial_balance.items():
        sums[account, currency] += debit - credit
    return {key: amount for key, amount in sums.items() if amount}


def qads_open_items(scene: Scene, ledger: dict[str, Any]) -> dict[tuple[str, str], Decimal]:
    """(Chargebee id, currency) -> what is open of it in QAD, over all versions of a document."""
    source_of = dict(Posting.objects.filter(tenant=scene.tenant).values_list("reference", "source__source_id"))
    items: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for rows in ledger["open_items"].values():
        for row in rows:
            items[source_of[row["reference"]], row["currency"]] += Decimal(row["open"])
    return {key: amount for key, amount in items.items() if amount}


def oracles_open_items(books: Books) -> dict[tuple[str, str], Decimal]:
    return {(name, currency): amount for (_, _, name, currency), amount in (books.open_items or {}).items()}


def assert_books_agree(scene: Scene, before: Iterable[Document] = (), **policies: Any) -> None:
    """All three to the last minor unit, each document once, item by item, and debit equal to credit."""
    ledger, oracle = scene.world.ledger(), oracles(scene, before, **policies)
    assert ledger["duplicates"] == {}
    assert ours(scene) == qads(ledger) == net(oracle)
    assert qads_open_items(scene, ledger) == oracles_open_items(oracle)
    residual: dict[str, Decimal] = defaultdict(Decimal)
    for (_, currency), amount in qads(ledger).items():
        residual[currency] += amount
    assert set(residual.values()) <= {Decimal(0)}
    states = oracle.states.items()  # a payment_reversal has no journal of its own: it is a signal that ends its payment
    posted = {key[1] for key, (state, _) in states if state == "posted" and key[0] != "payment_reversal"}
    mains = Posting.objects.filter(tenant=scene.tenant).exclude(kind__in=LATER)
    source_of = dict(mains.values_list("reference", "source__source_id"))
    assert posted == {source_of[one["reference"]] for one in ledger["documents"] if one["reference"] in source_of}
