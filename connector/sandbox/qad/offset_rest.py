"""Dialect B (`/finrest`): JSON arrays, nested objects, debit and credit columns. Never a negative amount."""

from __future__ import annotations

from typing import Any

from connector.sandbox.qad.shapes import Rows, Shape

_CODING = {"gl_account": "gl", "sub_account": "sub", "cost_centre": "cc", "project": "proj"}
_COLUMNS = {"debit": "debit", "credit": "credit"}
_LINE = {
    **_CODING,
    **_COLUMNS,
    "item": "article",
    "tax_code": "tax_code",
    "description": "text",
    "service_from": "service.from",
    "service_to": "service.to",
}
_TAX = {
    **_CODING,
    **_COLUMNS,
    "tax_code": "tax_code",
    "name": "tax_name",
    "rate": "percent",
    "base": "net",
    "jurisdiction": "region",
}
_SETTLEMENT = {"reference": "doc_ref", "number": "doc_no", "amount": "amount"}
_PAIR = {
    "credit_reference": "credit_ref",
    "credit_number": "credit_no",
    "reference": "invoice_ref",
    "number": "invoice_no",
    "amount": "amount",
}
_HEADER = {
    "reference": "ext_ref",
    "customer": "customer.code",
    "description": "text",
    "currency": "currency",
    "document_date": "dates.document",
    "posting_date": "dates.posting",
    "exchange_rate": "fx_rate",
    "daybook": "book",
    "entity": "company",
    "reverses": "reverses.ext_ref",
    "reverses_number": "reverses.doc_no",
    "is_reversal": "storno",  # true: amounts stay positive, the columns of the lines are swapped
}
_REPLY = {
    "number": "doc_no",
    "entity": "company",
    "year": "fiscal.year",
    "period": "fiscal.period",
    "daybook": "book",
    "voucher": "fiscal.voucher",
    "posting_date": "dates.posting",
    "open_amount": "amounts.open",
    "base_amount": "amounts.base",
    "status": "state",  # open | closed
}
AR_PATH = "/v1/ar-documents"


def _document(kind: str, doc_type: str, own: dict[str, str], **rows: Any) -> Shape:
    return Shape(
        kind=kind,
        path=AR_PATH,
        fields={**_HEADER, **own},
        reply=_REPLY,
        keys=("doc_no",),
        constants={"doc_type": doc_type},
        **rows,
    )


_MONEY_OUT = {
    "total": "amounts.gross",
    "bank_account": "bank.gl",
    "payment_method": "bank.method",
    "payment_reference": "bank.reference",
}
INVOICE = _document(
    "invoice",
    "INV",
    {"due_date": "dates.due", "total": "amounts.gross", "purchase_order": "po_ref"},
    lines=Rows("lines", _LINE),
    taxes=Rows("taxes", _TAX),
)
CREDIT_NOTE = _document(
    "credit_note",
    "CRN",
    {"total": "amounts.gross"},
    lines=Rows("lines", _LINE),
    taxes=Rows("taxes", _TAX),
    applications=Rows("settlements", _SETTLEMENT),
)
PAYMENT = _document("payment", "PAY", _MONEY_OUT, applications=Rows("settlements", _SETTLEMENT))
REFUND = _document("refund", "RFD", _MONEY_OUT, applications=Rows("settlements", _SETTLEMENT))
ADJUSTMENT = _document("adjustment", "ADJ", {}, applications=Rows("settlements", _PAIR))
UNAPPLICATION = _document("unapplication", "UNA", {}, applications=Rows("settlements", _PAIR))
JOURNAL = Shape(
    kind="journal",
    path="/v1/journals",
    fields={wire: name for wire, name in _HEADER.items() if wire != "customer"},
    reply=_REPLY,
    keys=("doc_no",),
    lines=Rows("lines", {**_CODING, **_COLUMNS, "description": "text"}),
)
CUSTOMER = Shape(
    kind="customer",
    path="/v1/customers",
    keys=("code",),
    fields={
        "code": "code",
        "reference": "ext_ref",
        "name": "relation.name",
        "search_name": "relation.search_name",
        "street1": "relation.address.line1",
        "street2": "relation.address.line2",
        "street3": "relation.address.line3",
        "city": "relation.address.city",
        "zip": "relation.address.postal_code",
        "state": "relation.address.state",
        "country": "relation.address.country",
        "contact": "relation.contact.name",
        "email": "relation.contact.email",
        "telephone": "relation.contact.phone",
        "tax_id": "relation.tax_id",
        "currency": "terms.currency",
        "credit_terms": "terms.credit_terms",
        "is_active": "active",
        "customer_type": "segment.type",
        "customer_group": "segment.group",
        "shared_flag": "segment.flag",
        "tax_class": "terms.tax_class",
        "credit_limit": "terms.credit_limit",
        "credit_hold": "terms.on_hold",
        "site": "operational.site",  # both in the one write: this dialect has no second step
        "daybook_set": "operational.daybook_set",
        "action": "action",  # create | update
    },
    reply={
        "hash": "version",
        "is_complete": "operational.complete",
        "modified_at": "changed_at",
        "added_on": "created_on",
    },
)
DOCUMENTS = {
    shape.constants["doc_type"]: shape for shape in (INVOICE, CREDIT_NOTE, PAYMENT, REFUND, ADJUSTMENT, UNAPPLICATION)
}


def _list(kind: str, path: str, fields: dict[str, str]) -> Shape:
    return Shape(kind=kind, path=path, fields=fields)


_CODE = {"code": "code", "description": "text", "is_active": "active"}
LISTS = {
    shape.path: shape
    for shape in (
        _list(
            "gl_account",
            "/v1/gl-accounts",
            {
                **_CODE,
                "type": "category",
                "currency": "currency",
                "needs_sub_account": "requires.sub",
                "needs_cost_centre": "requires.cc",
                "needs_project": "requires.proj",
                "takes_sub_account": "allows.sub",
                "takes_cost_centre": "allows.cc",
                "takes_project": "allows.proj",
            },
        ),
        _list("sub_account", "/v1/sub-accounts", _CODE),
        _list("cost_centre", "/v1/cost-centres", _CODE),
        _list("project", "/v1/projects", _CODE),
        _list("item", "/v1/articles", _CODE),
        _list("tax_code", "/v1/tax-codes", {**_CODE, "rate": "percent"}),
        _list("daybook", "/v1/books", {**_CODE, "type": "category", "control": "control"}),
        _list(
            "period",
            "/v1/periods",
            {
                "year": "year",
                "period": "number",
                "start_date": "from",
                "end_date": "to",
                "is_open": "open",
                "entity": "company",
                "locked_daybooks": "locked_books",
            },
        ),
        _list("credit_terms", "/v1/credit-terms", {**_CODE, "days": "days"}),
        _list("currency", "/v1/currencies", {**_CODE, "decimals": "decimals"}),
        _list(
            "exchange_rate",
            "/v1/exchange-rates",
            {
                "from": "pair.from",
                "to": "pair.to",
                "rate": "rate",
                "valid_from": "valid.from",
                "valid_to": "valid.to",
                "type": "kind",
            },
        ),
        _list("domain", "/v1/domains", {**_CODE, "base_currency": "base_currency"}),
        _list("daybook_set", "/v1/book-sets", _CODE),
        _list("site", "/v1/sites", _CODE),
    )
}
FORBIDDEN_PATHS = ("/v1/suppliers", "/v1/ap-documents", "/v1/purchase-orders")
