"""Dialect A (`/clouderp`): envelopes, flat names, signed numbers. The names of finance entities are invented."""

from __future__ import annotations

from typing import Any

from connector.sandbox.qad.shapes import Rows, Shape

_CODING = {
    "gl_account": "glAccountCode",
    "sub_account": "subAccountCode",
    "cost_centre": "costCenterCode",
    "project": "projectCode",
}
_LINE = {
    **_CODING,
    "item": "itemCode",
    "tax_code": "taxCode",
    "description": "lineDescription",
    "amount": "lineTCAmount",
    "service_from": "serviceStartDate",
    "service_to": "serviceEndDate",
}
_TAX = {
    **_CODING,
    "tax_code": "taxCode",
    "name": "taxName",
    "rate": "taxRate",
    "base": "taxBaseTCAmount",
    "amount": "taxTCAmount",
    "jurisdiction": "taxJurisdiction",
}
_APPLICATION = {"reference": "documentReference", "number": "documentNumber", "amount": "appliedTCAmount"}
_HEADER = {
    "reference": "externalReference",
    "customer": "customerCode",
    "description": "description",
    "currency": "currencyCode",
    "posting_date": "postingDate",
    "exchange_rate": "exchangeRate",
    "daybook": "daybookCode",
    "entity": "entityCode",
    "reverses": "correctionOfReference",
    "reverses_number": "correctionOfNumber",
}
_REPLY = {
    "number": "documentNumber",  # 2026-CINV-000001: year, daybook and voucher in one
    "entity": "entityCode",
    "year": "postingYear",
    "period": "postingPeriod",
    "daybook": "daybookCode",
    "voucher": "voucherNumber",
    "posting_date": "postingDate",
    "open_amount": "openTCAmount",
    "base_amount": "baseAmount",
    "status": "documentStatus",  # OPEN | CLOSED
    "hash": "concurrencyHash",
    "uri": "uri",
}
_KEYS = ("domainCode", "entityCode", "documentNumber")
_FINANCE = "urn:browse:bebrowse:com.qad.erp.financials."
_VIEW = "urn:be:com.qad.financials.customerledger."

CUSTOMER = Shape(
    kind="customer",
    path="/api/erp/customerV2s",
    collection="customerV2s",
    view_uri="urn:be:com.qad.base.customer.ICustomerV2",
    browse_id="urn:browse:bebrowse:com.qad.erp.base.customers",
    prefix="customerV2",
    keys=("sharedSetCode", "customerCode"),
    fields={
        "shared_set": "sharedSetCode",
        "code": "customerCode",
        "reference": "customShort0",
        "name": "addressName",
        "search_name": "addressSearchName",
        "business_relation": "businessRelationCode",  # '' creates one of the same code
        "currency": "currencyCode",
        "credit_terms": "creditTermsCode",
        "is_active": "isActive",
        "invoice_status": "invoiceStatusCode",
        "invoice_profile": "invoiceControlGLProfileCode",
        "credit_note_profile": "creditNoteControlGLProfileCode",
        "prepayment_profile": "prePaymentControlGLProfileCode",
        "sales_profile": "salesAccountGLProfileCode",
        "email": "EMail",
        "telephone": "telephone",
        "street1": "street1",
        "street2": "street2",
        "street3": "street3",
        "city": "city",
        "zip": "zipCode",
        "state": "stateCode",
        "country": "countryCode",
        "language": "languageCode",
        "tax_id": "federalTax",
        "is_taxable": "isTaxable",
        "comment": "commentNote",
        "customer_type": "customerTypeCode",
        "customer_group": "customShort2",
        "shared_flag": "customShort1",
        "tax_class": "taxClass",
        "credit_limit": "fixedCreditLimit",
        "credit_hold": "isLockedCreditLimit",
    },
    reply={
        "added_on": "createdDate",
        "hash": "concurrencyHash",
        "uri": "uri",
        "modified_date": "lastModifiedDate",
        "modified_time": "lastModifiedTime",
        "modified_user": "lastModifiedUser",
    },
)
CUSTOMER_DOMAIN = Shape(
    kind="customer_domain",
    path="/api/erp/mfgCustomers",
    collection="mfgCustomers",
    view_uri="urn:be:com.qad.base.customer.IMfgCustomer",
    browse_id="urn:browse:bebrowse:com.qad.erp.base.mfgCustomers",
    prefix="mfgCustomer",
    keys=("domainCode", "customerCode"),
    fields={
        "domain": "domainCode",
        "code": "customerCode",
        "site": "siteCode",
        "daybook_set": "daybookSetCode",
    },
    reply={"is_complete": "isComplete", "hash": "concurrencyHash", "uri": "uri"},
)
BUSINESS_RELATION = Shape(
    kind="business_relation",
    path="/api/erp/businessRelationV2s",
    collection="businessRelationV2s",
    view_uri="urn:be:com.qad.base.address.IBusinessRelationV2",
    browse_id="urn:browse:bebrowse:com.qad.erp.base.businessRelationV2s",
    prefix="businessRelationV2",
    keys=("sharedSetCode", "businessRelationCode"),
    fields={
        "shared_set": "sharedSetCode",
        "code": "businessRelationCode",
        "name": "businessRelationName",
        "search_name": "addressSearchName",
        "is_active": "isActive",
    },
    reply={"hash": "concurrencyHash", "uri": "uri"},
)


def _document(kind: str, collection: str, bc: str, own: dict[str, str], **rows: Any) -> Shape:
    return Shape(
        kind=kind,
        path=f"/api/erp/{collection}",
        collection=collection,
        view_uri=f"{_VIEW}I{bc}",
        browse_id=f"{_FINANCE}{collection}",
        prefix=collection[:-3] + "y" if collection.endswith("ies") else collection[:-1],
        keys=_KEYS,
        fields={**_HEADER, **own},
        reply=_REPLY,
        **rows,
    )


INVOICE = _document(
    "invoice",
    "customerInvoices",
    "CustomerInvoice",
    {
        "document_date": "invoiceDate",
        "due_date": "dueDate",
        "total": "invoiceTCAmount",
        "purchase_order": "purchaseOrderNumber",
    },
    lines=Rows("invoiceLines", _LINE),
    taxes=Rows("invoiceTaxes", _TAX),
)
CREDIT_NOTE = _document(
    "credit_note",
    "customerCreditNotes",
    "CustomerCreditNote",
    {"document_date": "creditNoteDate", "total": "creditNoteTCAmount"},
    lines=Rows("creditNoteLines", _LINE),
    taxes=Rows("creditNoteTaxes", _TAX),
    applications=Rows("creditNoteApplications", _APPLICATION),
)
PAYMENT = _document(
    "payment",
    "customerPayments",
    "CustomerPayment",
    {
        "document_date": "paymentDate",
        "total": "paymentTCAmount",
        "bank_account": "bankGLAccountCode",
        "payment_method": "paymentMethodCode",
        "payment_reference": "paymentReference",
    },
    applications=Rows("paymentApplications", _APPLICATION),
)
ADJUSTMENT = _document(
    "adjustment",
    "customerAdjustments",
    "CustomerAdjustment",
    {"document_date": "adjustmentDate"},
    applications=Rows(
        "adjustmentApplications",
        {
            "credit_reference": "creditReference",
            "credit_number": "creditNumber",
            "reference": "invoiceReference",
            "number": "invoiceNumber",
            "amount": "appliedTCAmount",
        },
    ),
)
JOURNAL = _document(
    "journal",
    "journalEntries",
    "JournalEntry",
    {"document_date": "journalDate"},
    lines=Rows("journalEntryLines", {**_CODING, "description": "lineDescription", "amount": "lineTCAmount"}),
)
del JOURNAL.fields["customer"]

WRITABLE = {
    shape.path: shape
    for shape in (CUSTOMER, CUSTOMER_DOMAIN, BUSINESS_RELATION, INVOICE, CREDIT_NOTE, PAYMENT, ADJUSTMENT, JOURNAL)
}
_FOREIGN = ("supplierV2s", "supplierInvoices", "supplierPayments", "purchaseOrderHeaders", "purchasing/supplierItems")
FORBIDDEN_PATHS = tuple(f"/api/erp/{name}" for name in _FOREIGN)


def _list(kind: str, browse_id: str, prefix: str, fields: dict[str, str]) -> Shape:
    return Shape(kind=kind, path="", browse_id=browse_id, prefix=prefix, fields=fields)


_CODE_FLAGS = {"description": "description", "is_active": "isActive"}
LISTS = (
    _list(
        "gl_account",
        f"{_FINANCE}glAccounts",
        "glAccount",
        {
            "code": "glAccountCode",
            **_CODE_FLAGS,
            "type": "glAccountType",
            "currency": "currencyCode",
            "needs_sub_account": "isSubAccountRequired",
            "needs_cost_centre": "isCostCenterRequired",
            "needs_project": "isProjectRequired",
            "takes_sub_account": "isSubAccountAllowed",
            "takes_cost_centre": "isCostCenterAllowed",
            "takes_project": "isProjectAllowed",
        },
    ),
    _list("sub_account", f"{_FINANCE}subAccounts", "subAccount", {"code": "subAccountCode", **_CODE_FLAGS}),
    _list("cost_centre", f"{_FINANCE}costCenters", "costCenter", {"code": "costCenterCode", **_CODE_FLAGS}),
    _list("project", f"{_FINANCE}projects", "project", {"code": "projectCode", **_CODE_FLAGS}),
    _list("item", "urn:browse:bebrowse:com.qad.erp.base.items", "item", {"code": "itemCode", **_CODE_FLAGS}),
    _list(
        "tax_code",
        "urn:browse:bebrowse:com.qad.erp.tax.taxCodes",
        "taxCode",
        {"code": "taxCode", **_CODE_FLAGS, "rate": "taxRate"},
    ),
    _list(
        "daybook",
        f"{_FINANCE}daybooks",
        "daybook",
        {"code": "daybookCode", **_CODE_FLAGS, "type": "daybookType", "control": "daybookControl"},
    ),
    _list(
        "period",
        f"{_FINANCE}glCalendarPeriods",
        "glCalendarPeriod",
        {
            "year": "postingYear",
            "period": "postingPeriod",
            "start_date": "startDate",
            "end_date": "endDate",
            "is_open": "isOpen",
            "entity": "entityCode",
            "locked_daybooks": "lockedDaybooks",  # codes with commas between
        },
    ),
    _list(
        "credit_terms",
        "urn:browse:bebrowse:com.qad.erp.base.creditTerms",
        "creditTerm",
        {"code": "creditTermsCode", **_CODE_FLAGS, "days": "numberOfDays"},
    ),
    _list(
        "currency",
        "urn:browse:bebrowse:com.qad.erp.base.currencies",
        "currency",
        {"code": "currencyCode", **_CODE_FLAGS, "decimals": "numberOfDecimals"},
    ),
    _list(
        "exchange_rate",
        f"{_FINANCE}exchangeRates",
        "exchangeRate",
        {
            "from": "fromCurrencyCode",
            "to": "toCurrencyCode",
            "rate": "exchangeRate",
            "valid_from": "validFrom",
            "valid_to": "validTo",
            "type": "exchangeRateType",
        },
    ),
    _list(
        "daybook_set",
        "urn:browse:bebrowse:com.qad.erp.base.daybookSets",
        "daybookSet",
        {"code": "daybookSetCode", **_CODE_FLAGS},
    ),
    _list("site", "urn:browse:bebrowse:com.qad.erp.base.sites", "site", {"code": "siteCode", **_CODE_FLAGS}),
    _list(
        "domain",
        "urn:browse:bebrowse:com.qad.erp.base.domainV3s",
        "domainV3",
        {"code": "domainCode", **_CODE_FLAGS, "base_currency": "baseCurrencyCode"},
    ),
)
BROWSES = {shape.browse_id: shape for shape in (*WRITABLE.values(), *LISTS)}
