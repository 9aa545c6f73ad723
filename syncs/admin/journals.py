"""The journal of a document as a table: named accounts, the mapping row behind each line, balanced totals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from connector.ledger.documents import Coding, JournalLine, LedgerDocument
from connector.ledger.journals import journal
from connector.money import Money, total
from mappings.models import AccountRole, BankMapping, ItemMapping, QadAccount, TaxMapping
from syncs.admin import words
from syncs.admin.links import Button, url
from syncs.books import receivable_account
from tenants.models import Tenant

_MODELS: dict[str, type[ItemMapping | TaxMapping | BankMapping | AccountRole]] = {
    "item": ItemMapping,
    "tax": TaxMapping,
    "bank": BankMapping,
    "role": AccountRole,
}


@dataclass(frozen=True, slots=True)
class Row:
    """`mapping` is the row that decided the account, as it stands now; `mapping_note` tells if it has changed."""

    account: str
    account_name: str
    dimensions: str
    label: str
    debit: str
    credit: str
    mapping: Button | None
    mapping_note: str


@dataclass(frozen=True, slots=True)
class Table:
    currency: str
    rows: list[Row]
    debit: str
    credit: str
    balances: bool


def table(tenant: Tenant, document: LedgerDocument) -> Table:
    """Four queries at most, whatever the number of lines."""
    lines = journal(document, receivable_account(tenant))
    names = _account_names(tenant, {line.account for line in lines})
    used = mappings(tenant, {line.coding.source for line in lines if line.coding is not None})
    currency = lines[0].debit.currency if lines else ""
    debit = total((line.debit for line in lines), currency)
    credit = total((line.credit for line in lines), currency)
    rows = [_row(line, names, used) for line in lines]
    return Table(currency, rows, _whole(debit), _whole(credit), debit == credit)


def _row(line: JournalLine, names: dict[str, str], mappings: dict[str, tuple[Button, str]]) -> Row:
    coding = line.coding or Coding("")
    button, note = mappings.get(coding.source, (None, _lost(coding.source)))
    return Row(
        account=line.account,
        account_name=names.get(line.account, ""),
        dimensions=", ".join(_dimensions(coding)),
        label=line.label,
        debit=words.amount_of(line.debit),
        credit=words.amount_of(line.credit),
        mapping=button,
        mapping_note=note,
    )


def _dimensions(coding: Coding) -> Iterable[str]:
    for name, value in (
        ("sub-account", coding.sub_account),
        ("cost centre", coding.cost_centre),
        ("project", coding.project),
        ("item", coding.qad_item),
        ("tax code", coding.tax_code),
    ):
        if value:
            yield f"{name} {value}"


def _whole(amount: Money) -> str:
    return words.amount_of(amount) or words.grouped(Decimal(0))


def _account_names(tenant: Tenant, codes: set[str]) -> dict[str, str]:
    return dict(QadAccount.objects.filter(tenant=tenant, code__in=codes).values_list("code", "description"))


def mappings(tenant: Tenant, sources: set[str]) -> dict[str, tuple[Button, str]]:
    """'item:12@3' -> the mapping row as a link, and a note if it has been changed since."""
    wanted = {source: parts for source in sources if (parts := _parts(source)) is not None}
    found: dict[str, tuple[Button, str]] = {}
    for kind, model in _MODELS.items():
        keys = {pk for name, pk, _ in wanted.values() if name == kind}
        rows = model.objects.filter(tenant=tenant, pk__in=keys).in_bulk() if keys else {}
        for source, (name, pk, version) in wanted.items():
            if name == kind and (row := rows.get(pk)) is not None:
                address = url(f"admin:mappings_{model._meta.model_name}_change", pk)
                note = "" if row.version == version else f"used as version {version}, now version {row.version}"
                found[source] = (Button(address, str(row)), note)
    return found


def _parts(source: str) -> tuple[str, int, int] | None:
    kind, _, rest = source.partition(":")
    pk, _, version = rest.partition("@")
    return (kind, int(pk), int(version)) if kind in _MODELS and pk.isdigit() and version.isdigit() else None


def _lost(source: str) -> str:
    return "a mapping that has been deleted since" if _parts(source) is not None else ""
