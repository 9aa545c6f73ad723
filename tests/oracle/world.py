"""All documents of one fold, the newest version of each, and what became of those read so far."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from collections.abc import Mapping as Given
from dataclasses import dataclass, field
from functools import cached_property

from . import lookup
from .model import Document, Earlier, Key, Mapping
from .outcome import Outcome

RESOURCES = (("invoices", "invoice"), ("credit_notes", "credit_note"), ("transactions", "transaction"))
SUFFIX = re.compile(r"_\d+$")


@dataclass
class World:
    mapping: Mapping
    documents: dict[Key, Document]
    outcomes: dict[Key, Outcome] = field(default_factory=dict)

    def of_kind(self, kind: str) -> list[Document]:
        return [self.documents[key] for key in sorted(self.documents) if key[0] == kind]

    @cached_property
    def notes_of_invoice(self) -> dict[str, list[Document]]:
        return grouped(self.of_kind("credit_note"), lambda note: note.get("reference_invoice_id"))

    @cached_property
    def reversals_of_payment(self) -> dict[str, list[Document]]:
        standing = [each for each in self.of_kind("payment_reversal") if not each.get("deleted")]
        return grouped(standing, self.reversed_payment)

    @cached_property
    def payment_of_reversal(self) -> dict[str, str]:
        """The link that the payment holds."""
        payments = self.of_kind("payment")
        return {each["reversal_transaction_id"]: each["id"] for each in payments if each.get("reversal_transaction_id")}

    def reversed_payment(self, reversal: Document) -> str | None:
        return self.payment_of_reversal.get(reversal["id"]) or reversal.get("reference_transaction_id")

    def owner(self, kind: str, document: str) -> str:
        """The QAD code of the customer that the document, or the opening item, belongs to."""
        opening = self.mapping.opening.get((kind, document))
        return opening.customer if opening else lookup.customer(self.mapping, self.documents[kind, document])

    def earlier(self, kind: str, document: str) -> list[Earlier]:
        return self.mapping.posted_before.get((kind, document), [])

    def posted(self, kind: str, document: str) -> Outcome | None:
        """The parent's outcome if it is in the books, also if it was reversed since."""
        outcome = self.outcomes.get((kind, document))
        return outcome if outcome and outcome.is_posted else None

    def standing(self, kind: str, document: str) -> Outcome | None:
        """The parent's outcome if it is in the books and was not reversed."""
        outcome = self.outcomes.get((kind, document))
        return outcome if outcome and outcome.is_open else None


def gather(documents: Given[str, Iterable[Document]], mapping: Mapping) -> World:
    world = World(mapping, {})
    for plural, resource in RESOURCES:
        for row in documents.get(plural) or []:
            document = row[resource] if set(row) == {resource} else row
            kind = document["type"] if resource == "transaction" else resource
            keep_newest(world, (kind, own_id(kind, document, mapping)), document)
    return world


def grouped(documents: Iterable[Document], parent: Callable[[Document], str | None]) -> dict[str, list[Document]]:
    groups: dict[str, list[Document]] = defaultdict(list)
    for document in documents:
        groups[parent(document) or ""].append(document)
    return groups


def keep_newest(world: World, key: Key, document: Document) -> None:
    known = world.documents.get(key)
    if known is None or version(document) >= version(known):
        world.documents[key] = {**document, "id": key[1]}


def version(document: Document) -> tuple[int, int]:
    return document.get("resource_version") or 0, document.get("updated_at") or 0


def own_id(kind: str, document: Document, mapping: Mapping) -> str:
    """A deleted credit note may come back under its id with a suffix; it is the one that was posted."""
    stripped = SUFFIX.sub("", document["id"])
    is_renamed = document.get("deleted") and (kind, document["id"]) not in mapping.posted_before
    return stripped if is_renamed and (kind, stripped) in mapping.posted_before else document["id"]
