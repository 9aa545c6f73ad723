"""The fold: documents and mapping in, books out. Parents are read before their children, whatever their order."""

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Mapping as Given

from .books import Books, Entry, Move, OpenItems, open_items
from .currencies import money
from .days import local_day
from .invoices import read_invoice
from .model import Document, Key, Mapping, Opening
from .notes import read_note
from .outcome import Outcome, Stop, skipped
from .payments import read_payment, read_reversal
from .refunds import read_refund
from .world import World, gather


def read_authorization(document: Document, world: World) -> Outcome:
    raise skipped("authorization")


READERS: tuple[tuple[str, Callable[[Document, World], Outcome]], ...] = (
    ("invoice", read_invoice),
    ("credit_note", read_note),
    ("authorization", read_authorization),
    ("payment", read_payment),
    ("payment_reversal", read_reversal),
    ("refund", read_refund),
)


def fold(documents: Given[str, Iterable[Document]], mapping: Mapping) -> Books:
    """`documents`: {"invoices": [...], "credit_notes": [...], "transactions": [...]}, as Chargebee's API gives them."""
    world = gather(documents, mapping)
    openings = [opening_entry(key, each) for key, each in mapping.opening.items()]
    for key in mapping.opening:
        world.outcomes[key] = Outcome("posted", "opening item", is_open=True)
    for kind, reader in READERS:
        for document in world.of_kind(kind):
            if (kind, document["id"]) not in world.outcomes:
                world.outcomes[kind, document["id"]] = read(document, reader, world)
    entries = [*openings, *(entry for outcome in world.outcomes.values() for entry in outcome.entries)]
    states = {key: (outcome.state, outcome.reason) for key, outcome in world.outcomes.items()}
    items = open_items(entries)
    return Books(tuple(entries), items, states, tuple(remarks(world, items)))


def read(document: Document, reader: Callable[[Document, World], Outcome], world: World) -> Outcome:
    entity = document.get("business_entity_id")
    entities = world.mapping.business_entities
    if entities is not None and entity not in entities:
        return Outcome("skipped", f"business entity {entity}")
    try:
        return reader(document, world)
    except Stop as stop:
        return Outcome(stop.state, stop.reason)


def opening_entry(key: Key, opening: Opening) -> Entry:
    """An open item without a journal: QAD's opening balance holds its amount already."""
    move = Move(opening.customer, *key, money(opening.amount, opening.currency))
    return Entry(*key, "opening", local_day(0, "UTC"), opening.currency, (), (move,))


def remarks(world: World, items: OpenItems) -> Iterator[str]:
    """Where the edges of notes and payments leave another amount open than the invoice's own copy says."""
    if world.mapping.policies.payment_mode == "journal_to_clearing":
        return
    for invoice in world.of_kind("invoice"):
        outcome = world.outcomes["invoice", invoice["id"]]
        stands = outcome.state == "posted" and outcome.is_open and invoice["status"] != "voided"
        if not stands or invoice.get("amount_due") is None or ("invoice", invoice["id"]) in world.mapping.opening:
            continue
        key = (world.owner("invoice", invoice["id"]), "invoice", invoice["id"], invoice["currency_code"])
        expected = money(invoice["amount_due"], invoice["currency_code"])
        if items.get(key, 0) != expected:
            yield f"invoice {invoice['id']}: amount_due {expected}, open by its edges {items.get(key, 0)}"
