"""The Chargebee site of the sandbox: what a client asks over HTTP, and what a Chargebee user does in his console."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from connector.sandbox import population, transport
from connector.sandbox.chargebee import afterwards, billing, cash, catalog, documents, invoicing, notes, people
from connector.sandbox.chargebee.api import Api, Switches
from connector.sandbox.chargebee.core import Core
from connector.sandbox.chargebee.documents import Bill, Charge
from connector.sandbox.chargebee.store import Document
from connector.sandbox.chargebee.webhooks import Webhooks
from connector.sandbox.clock import Clock
from connector.sandbox.faults import Faults
from connector.sandbox.wire import Request, Response

_EVENTS = {
    **{"customer": "customer_changed", "item": "item_updated", "item_price": "item_price_updated"},
    **{
        "item_family": "item_family_updated",
        "credit_note": "credit_note_updated",
        "transaction": "transaction_updated",
    },
}
_HAVE_STATUS = ("item", "item_price", "item_family")


class ChargebeeSite:
    """Every method that changes something saves it with a new updated_at and resource_version and tells an event."""

    def __init__(self, clock: Clock, seed: int = 7, customers: int = 300) -> None:
        self.clock = clock
        self._setup = (seed, customers)
        self.faults = Faults()
        self.reset()

    def reset(self) -> None:
        """Back to the first day: catalog and customers, nothing billed, no fault, every switch as it was."""
        seed, customers = self._setup
        self.faults.clear()
        self.core = Core(self.clock, seed)
        self.api = Api(self.core, self.faults)
        catalog.stock(self.core)
        people.move_in(self.core, customers)

    def handle(self, request: Request) -> Response:
        return transport.answer(self.faults, self.clock, request, self.api.respond)

    @property
    def switches(self) -> Switches:
        return self.api.switches

    def lag(self, seconds: float) -> None:
        """Changes made from now on show in lists only after so long; by id they show at once."""
        self.core.store.lag = seconds

    def limit(self, per_minute: int | None) -> None:
        self.api.limit.per_minute = per_minute

    def pages(self, most_rows: int, *, counts_rows: bool = False) -> None:
        """Lists give at most so many rows a page; with `counts_rows` an offset is a number of rows, not a row."""
        self.api.lists.most_rows, self.api.lists.counts_rows = most_rows, counts_rows

    def expire_offsets(self) -> None:
        """Every offset handed out so far is refused from now on."""
        self.api.lists.expire_offsets()

    @property
    def webhooks(self) -> Webhooks:
        return self.core.webhooks

    def add_webhook(self, url: str, **settings: Any) -> dict[str, str]:
        """Events from now on go to `url`; user and password for Basic authentication."""
        return {"id": self.webhooks.add(url, **settings).id}

    def deliver_webhooks(self, **settings: Any) -> dict[str, int]:
        """Send what is due by the sandbox's clock: see Webhooks.deliver."""
        return self.webhooks.deliver(**settings)

    def get(self, kind: str, key: str) -> Document:
        return self.core.find(kind, key)

    def all(self, kind: str) -> list[Document]:
        return self.core.store.all(kind)

    def bill_cycle(self, *, kinds: str = "invoices") -> dict[str, int]:
        return billing.bill_cycle(self.core, kinds=kinds)

    def change_afterwards(self) -> dict[str, int]:
        """Edits, voids, withheld tax and late applications, on every seventh invoice."""
        return afterwards.change(self.core)

    def summary(self) -> dict[str, dict[str, int]]:
        return billing.summary(self.core)

    def add_customer(self, **fields: Any) -> Document:
        """A customer with an address in Denver; any field may be told, None leaves one out."""
        number = self.core.number("added_customer")
        person = replace(population.customers(self.core.seed, 1)[0], id=f"new-{number}", company=f"New {number} Inc")
        document = {**people.customer(person, self.core.now()), **fields}
        return self.core.save(_without_none(document), "customer_created")

    def add_item_price(self, **fields: Any) -> Document:
        """A monthly plan price in US dollars, with its item if the catalog does not have it."""
        number = self.core.number("added_price")
        product = catalog.Product(f"extra-{number}", f"Extra {number}", "plan", "cloud-platform", 1_000)
        price = {
            **catalog.item_price(product, "USD", "Monthly"),
            "created_at": self.core.now(),
            "deleted": False,
            **fields,
        }
        if self.core.store.get("item", price["item_id"]) is None:
            self.core.save({**catalog.item(product), "id": price["item_id"], "deleted": False}, "item_created")
        return self.core.save(_without_none(price), "item_price_created")

    def add_invoice(
        self,
        *,
        customer: str = "",
        total: int | None = None,
        charges: tuple[Charge, ...] = (),
        status: str = "posted",
        currency: str = "USD",
        bill: dict[str, Any] | None = None,
        **fields: Any,
    ) -> Document:
        """One invoice whose sums are true. `total` makes one untaxed line; `charges` are billed as they are.

        `bill` sets parts of the Bill (price_type, document_discount, promotional_credits, round_off…); `fields` are set
        on the finished document, and a sum told there is believed. Status paid makes its payment too.
        """
        who = self.core.find("customer", customer) if customer else self._someone(currency)
        billed = charges or (Charge(100_00 if total is None else total, f"pro-{currency}-Monthly"),)
        first = {"voided": "posted", "paid": "posted"}.get(status, status)
        given: dict[str, Any] = {
            "subscription_id": f"sub-{who['id']}",
            "time_zone": self.core.time_zone,
            **(bill or {}),
        }
        rate = billing.exchange_rate(currency)
        key = str(fields.pop("id", "")) or invoicing.new_id(self.core, first)
        when = int(fields.pop("date", self.core.now()))
        plain = Bill(key, who, billed, when, currency, first, exchange_rate=rate)
        document = documents.invoice(replace(plain, **given))
        told = "pending_invoice_created" if first == "pending" else "invoice_generated"
        self.core.save(_without_none(document | fields), told, source="scheduled_job")
        return self._end(key, status)

    def _someone(self, currency: str) -> Document:
        everybody = self.core.store.all("customer")
        return next((one for one in everybody if one.get("preferred_currency_code") == currency), everybody[0])

    def _end(self, key: str, status: str) -> Document:
        invoice = self.core.find("invoice", key)
        if status == "paid" and invoice["amount_due"]:
            self.pay({key: invoice["amount_due"]})
        elif status == "paid":
            self.core.save(self.core.draft("invoice", key) | {"status": "paid", "paid_at": self.core.now()})
        elif status == "voided":
            self.void_invoice(key)
        return self.core.find("invoice", key)

    def pay(self, parts: dict[str, int], *, unused: int = 0, status: str = "success", **fields: Any) -> Document:
        """A payment for one or several invoices (id -> amount); `unused` stays as excess payment."""
        return cash.pay(self.core, parts, unused=unused, status=status, **fields)

    def change_payment(self, key: str, status: str) -> Document:
        return cash.change_payment(self.core, key, status)

    def reverse_payment(self, key: str) -> Document:
        return cash.reverse_payment(self.core, key)

    def refund_payment(self, key: str, amount: int, **fields: Any) -> Document:
        return cash.refund_payment(self.core, key, amount, **fields)

    def refund_note(self, key: str, amount: int, payment_id: str = "", **fields: Any) -> Document:
        return cash.refund_note(self.core, key, amount, payment_id, **fields)

    def credit(self, invoice_id: str, amount: int, kind: str = "adjustment", reason: str = "Other") -> Document:
        return notes.credit(self.core, invoice_id, amount, kind, reason)

    def write_off(self, invoice_id: str) -> Document:
        return notes.write_off(self.core, invoice_id)

    def apply_note(self, key: str, invoice_id: str, amount: int) -> Document:
        return notes.apply(self.core, key, invoice_id, amount)

    def void_note(self, key: str) -> Document:
        return notes.void(self.core, key)

    def void_invoice(self, key: str, *, with_credit_note: bool = False) -> Document:
        return invoicing.void(self.core, key, with_credit_note=with_credit_note)

    def close_invoice(self, key: str) -> Document:
        return invoicing.close(self.core, key)

    def change_line(self, key: str, position: int, amount: int) -> Document:
        return invoicing.change_line(self.core, key, position, amount)

    def edit(self, kind: str, key: str, **changes: Any) -> Document:
        """Sets fields, None removes one. An invoice is summed again, except where a sum itself is told."""
        if kind == "invoice":
            return invoicing.edit(self.core, key, changes)
        return self.core.save(_without_none(self.core.draft(kind, key) | changes), _EVENTS.get(kind, ""))

    def delete(self, kind: str, key: str) -> Document:
        """Documents and customers leave every list that does not ask for deleted rows; catalog rows change status."""
        gone = {"deleted": True} | ({"status": "deleted"} if kind in _HAVE_STATUS else {})
        return self.core.save(self.core.draft(kind, key) | gone, f"{kind}_deleted")

    def merge_customers(self, gone: str, kept: str) -> Document:
        """What was billed to one customer belongs to the other from now on, and the first one is deleted."""
        for kind in ("invoice", "credit_note", "transaction"):
            for document in self.core.store.all(kind):
                if document.get("customer_id") == gone:
                    self.core.save(self.core.draft(kind, document["id"]) | {"customer_id": kept}, f"{kind}_updated")
        return self.delete("customer", gone)

    def put_raw(self, kind: str, document: Document) -> Document:
        """Stores any document as it is, broken or not; nothing is summed, stamped or told."""
        return self.core.store.put({"object": kind, **document})


def _without_none(document: Document) -> Document:
    return {name: value for name, value in document.items() if value is not None}
