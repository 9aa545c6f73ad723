"""Our own ledger: the trial balance of what was posted, added up from the postings' documents."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from django.db.models import QuerySet

from connector.ledger.documents import JournalLine
from connector.ledger.journals import journal
from connector.ledger.stored import restore
from mappings.models import AccountRole
from syncs.models import Posting
from syncs.states import DONE
from tenants.models import Tenant

Totals = dict[tuple[str, str], tuple[Decimal, Decimal]]


def receivable_account(tenant: Tenant) -> str:
    """The customer control account for previews; QAD itself decides it when it posts."""
    role = AccountRole.objects.filter(tenant=tenant, role="receivable").order_by("-valid_from").first()
    return role.gl_account if role else "customer control account"


def journal_of(posting: Posting, receivable: str) -> tuple[JournalLine, ...]:
    """Debit and credit of one posting."""
    return journal(restore(posting.document), receivable)


def trial_balance(tenant: Tenant, postings: QuerySet[Posting] | None = None) -> Totals:
    """(account, currency) -> (debit, credit) in document currency, over everything that QAD has."""
    rows = postings if postings is not None else Posting.objects.filter(tenant=tenant, state__in=DONE)
    receivable = receivable_account(tenant)
    debit: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    credit: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for posting in rows.only("document").iterator(chunk_size=500):
        for line in journal_of(posting, receivable):
            key = (line.account, line.debit.currency)
            debit[key] += line.debit.amount
            credit[key] += line.credit.amount
    return {key: (debit[key], credit[key]) for key in sorted(debit.keys() | credit.keys())}
