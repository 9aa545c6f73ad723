"""The time machine: bills the next cycle of every subscription."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from connector.sandbox.chargebee import cash, closing, documents, invoicing, recipes, taxes
from connector.sandbox.chargebee.catalog import RATES
from connector.sandbox.chargebee.core import Core
from connector.sandbox.chargebee.documents import Bill, Charge
from connector.sandbox.chargebee.store import Document

_DAY = 86_400
_SPREAD = 36 * 3600  # the documents' dates lie this far back at most
PACE = 0.05  # site seconds that one invoice takes to bill

# Twenty invoices in a row end like this; 20 has no factor in common with the number of recipes, so all pairs occur.
_ENDINGS = (
    *("paid", "posted", "paid", "payment_due", "paid", "paid", "not_paid", "paid", "posted", "paid"),
    *("payment_due", "paid", "pending", "paid", "posted", "paid", "payment_due", "paid", "voided", "posted"),
)


@dataclass(frozen=True, slots=True)
class Subscription:
    """Customers have three, every third one four: 1,000 invoices for 300 customers."""

    id: str
    customer: Document
    position: int


def subscriptions(core: Core) -> Iterator[Subscription]:
    position = 0
    for index, customer in enumerate(core.store.all("customer")):
        if customer["deleted"]:
            continue
        for count in range(4 if index % 3 == 0 else 3):
            yield Subscription(f"sub-{index + 1}-{count + 1}", customer, position)
            position += 1


def bill_cycle(core: Core, *, kinds: str = "invoices") -> dict[str, int]:
    """Bills every subscription once and says how many documents of each kind it made.

    kinds: "invoices" (with the payments of the paid ones) or "all" (credit notes, refunds and the rest as well).
    The site's clock runs on by PACE for each invoice, as a real billing run takes time: lists that follow
    updated_at see the documents in the order they were made.
    """
    before = {kind: core.store.count(kind) for kind in ("invoice", "transaction", "credit_note")}
    cycle, end = core.number("cycle"), core.now()
    made = []
    for subscription in list(subscriptions(core)):
        core.clock.advance(PACE)
        made.append(_bill(core, subscription, cycle, end)["id"])
    if kinds == "all":
        closing.live_on(core, made)
    return {kind: core.store.count(kind) - count for kind, count in before.items()}


def _bill(core: Core, subscription: Subscription, cycle: int, end: int) -> Document:
    chance = random.Random(f"{core.seed}:{cycle}:{subscription.position}")
    customer, ending = subscription.customer, _ENDINGS[(subscription.position + cycle) % len(_ENDINGS)]
    currency = customer.get("preferred_currency_code", "USD")
    basket = recipes.basket(subscription.position, currency, chance)
    date = end - chance.randrange(0, _SPREAD // 60) * 60 - 60
    bill = Bill(
        id=invoicing.new_id(core, ending),
        customer=customer,
        charges=_taxed(basket, subscription),
        date=date,
        currency=currency,
        status="pending" if ending == "pending" else "posted",
        price_type="tax_inclusive" if customer["billing_address"]["country"] in taxes.INCLUSIVE else "tax_exclusive",
        term=(date, date + 30 * _DAY),
        subscription_id="" if basket.is_consolidated else subscription.id,
        document_discount=basket.document_discount,
        promotional_credits=basket.promotional_credits,
        net_term_days=30 if ending == "posted" else 0,
        time_zone=core.time_zone,
        exchange_rate=exchange_rate(currency),
    )
    invoice = documents.invoice(bill)
    if basket.rounds_off and currency != "JPY":
        cents = invoice["total"] % 100
        invoice = documents.invoice(replace(bill, round_off=-cents if cents < 50 else 100 - cents))
    invoice["first_invoice"] = cycle == 1
    return _finish(core, invoice, ending)


def _taxed(basket: recipes.Basket, subscription: Subscription) -> tuple[Charge, ...]:
    rates, reason = taxes.rates(subscription.customer)
    if taxes.may_reverse(subscription.customer) and subscription.position % 2:
        rates, reason = (), "reverse_charge"
    own = subscription.id
    return tuple(
        replace(
            charge,
            taxes=rates,
            exempt_reason=reason,
            subscription_id=f"{own}-{at + 1}" if basket.is_consolidated else own,
        )
        for at, charge in enumerate(basket.charges)
    )


def exchange_rate(currency: str) -> float:
    """What one unit of the currency is in US dollars."""
    per_dollar = Decimal(RATES.get(currency, "1")) * (100 if currency == "JPY" else 1)
    return float(round(1 / per_dollar, 6))


def _finish(core: Core, invoice: Document, ending: str) -> Document:
    """Saves the invoice and lets it become what it ends as."""
    if not invoice["total"] and ending != "pending":
        invoice |= {"status": "paid", "paid_at": invoice["date"]}
        return core.save(invoice, "invoice_generated", source="scheduled_job")
    told = "pending_invoice_created" if ending == "pending" else "invoice_generated"
    core.save(invoice, told, source="scheduled_job")
    return _ENDS[ending](core, invoice)


def _stay(core: Core, invoice: Document) -> Document:
    return invoice


def _paid(core: Core, invoice: Document) -> Document:
    if core.number("declined") % 9 == 0:  # a first attempt that failed stays on the invoice
        _declined(core, invoice)
    offline = core.number("offline") % 6 == 0
    cash.pay(core, {invoice["id"]: invoice["total"]}, payment_method="bank_transfer" if offline else "card")
    return core.find("invoice", invoice["id"])


def _declined(core: Core, invoice: Document) -> None:
    cash.pay(core, {invoice["id"]: invoice["total"]}, status="failure")


def _payment_due(core: Core, invoice: Document) -> Document:
    _declined(core, invoice)
    changes = {"status": "payment_due", "dunning_status": "in_progress", "next_retry_at": core.now() + 3 * _DAY}
    return core.save(core.draft("invoice", invoice["id"]) | changes)


def _not_paid(core: Core, invoice: Document) -> Document:
    _declined(core, invoice)
    return core.save(core.draft("invoice", invoice["id"]) | {"status": "not_paid", "dunning_status": "exhausted"})


def _voided(core: Core, invoice: Document) -> Document:
    return invoicing.void(core, invoice["id"])


_ENDS = {
    "paid": _paid,
    "posted": _stay,
    "pending": _stay,
    "payment_due": _payment_due,
    "not_paid": _not_paid,
    "voided": _voided,
}


def summary(core: Core) -> dict[str, dict[str, int]]:
    """Invoices by status and money by currency, for the people who run a demonstration."""
    statuses: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    for invoice in core.store.all("invoice"):
        statuses[invoice["status"]] += 1
        totals[invoice["currency_code"]] += invoice["total"]
    return {"statuses": dict(statuses), "totals": dict(totals)}
