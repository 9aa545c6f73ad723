"""The two dialects side by side: where the tables stand, how requests, replies, dates and amounts look.

Tables: `adaptive` (A) and `offset_rest` (B); a Shape maps the ledger's words to the wire's, rows inside included.

===============  ==========================================  ==================================================
                 A `/clouderp`                               B `/finrest`
===============  ==========================================  ==================================================
login            POST /oauth/token (form or query), Bearer;  Basic on each request
                 Basic where the instance allows it
workspace        header x-qad-workspace-id 10USA_10USACO     header x-company 10USACO
list             GET /api/qracore/browses?browseId&page      GET {path}?offset&limit&filter[name]=value
                 &pageSize&pageAction=first|next             (exact match; repeat for AND; names as in fields,
                 &filter=column,op,value,literal             nested ones with dots)
list reply       {"data":[{"customerInvoice.externalRef...": {"total":12,"offset":0,"limit":100,"rows":[{...}]}
                 ...}],"auxillaryData":{"HasMoreParams":
                 "true"}}  flat keys `prefix.wireName`       nested objects; more while offset+len < total
page size        never more than 100 rows                    1..100; over it: cut to 100, or 400 in strict mode
write            POST {path}?viewUri=..                      POST {path}, body [ {document} ] (one), HTTP 201
                 {"supplementaryMessages":[],
                 "customerInvoices":[{...}]}
success          200, submitResult.success true, record in   201, [{"status":"created","document":{...},
                 data.{collection}[0]                        "messages":[]}]   (customer update: "updated")
refusal          200, submitResult.success false, errors     422, [{"status":"error","messages":
                 [{fieldName,message,fieldValue,code,        [{"text","field","number","level":"error"}]}]
                 severity}]; code is text, fieldName starts  number is an integer, field is the wire name
                 with a capital
warning          supplementaryMessages, severity 2           messages with "level":"warning" beside "created"
read one         GET {path}?{all keys}&viewUri=..            GET {path}/{doc_no or code}; list filter ext_ref
                 unknown: 200, data.{collection} []          unknown: 404 {"messages":[..]}
no rights        403 {"errors":[{severity,code,message}]}    403 {"messages":[{"text":"Access is denied",..}]}
dates            2026-11-30T00:00:00.000Z                    30.11.2026
amounts          signed JSON numbers                         text with a point, never negative
sale line        lineTCAmount +: adds to the total           credit on an invoice, debit on a credit note
reversal         same entity, total, lines, taxes and        same doc_type, storno true, reverses.ext_ref; amounts
                 applications negative,                      positive, columns of lines and taxes swapped,
                 correctionOfReference = the original's      settlements positive and undone
refund           customerPayments, negative total, negative  doc_type RFD, positive
                 applications to the credit note or payment
un-application   customerAdjustments, appliedTCAmount < 0    doc_type UNA, positive
journal          lineTCAmount + debit, - credit              /v1/journals, columns
tax              taxTCAmount with the sign of the total      column as the lines
===============  ==========================================  ==================================================

Applications of a note or payment name the other document by reference or by number; what is left stays open.
A total without lines is refused unless it is zero; sum of lines + taxes = total. Currency decimals must fit.
A: create a customer by POST customerV2s (empty concurrencyHash), then POST mfgCustomers with site and daybook set and
`domainCode`+`customerCode` in the query; update by POST with the keys in the query, the whole record, and its hash.
B: `action` create | update; update needs `version`.
"""

from __future__ import annotations

from dataclasses import dataclass

EXTERNAL_REFERENCE_LENGTH = 40
DESCRIPTION_LENGTH = 40
CUSTOMER_CODE_LENGTH = 8
SEARCH_NAME_LENGTH = 28
GL_CODE_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Message:
    """A complaint of the instance: the code is text in A and a number in B, the sentence is the same."""

    code: str
    text: str


MESSAGES = {
    "mandatory": Message("8", "Field is mandatory."),  # also for a code that does not resolve
    "too_long": Message("47", "Field length should be less than {limit}."),
    "wrong_format": Message("52", "The value {value} has a wrong format."),
    "too_precise": Message("53", "The amount {value} has more decimals than currency {currency} allows."),
    "unknown_field": Message("54", "Field {value} is unknown."),
    "already_exists": Message("110", "{what} {value} already exists."),
    "stale": Message("120", "The record was changed by another user. Read it again."),
    "unknown_record": Message("130", "{what} {value} does not exist."),
    "period_closed": Message("2101", "Period {period} is closed for entity {entity}."),
    "daybook_locked": Message("2102", "Daybook {value} is locked in period {period}."),
    "daybook_type": Message("2103", "Daybook {value} does not fit this kind of document."),
    "customer_inactive": Message("2201", "Customer {value} is not active."),
    "customer_incomplete": Message("2202", "Operational data of customer {value} is incomplete in domain {domain}."),
    "account_inactive": Message("2301", "GL account {value} is not active."),
    "sub_account_required": Message("2302", "GL account {value} requires a sub-account."),
    "cost_centre_required": Message("2303", "GL account {value} requires a cost center."),
    "project_required": Message("2304", "GL account {value} requires a project."),
    "sub_account_refused": Message("2308", "GL account {value} does not allow a sub-account."),
    "cost_centre_refused": Message("2308", "GL account {value} does not allow a cost center."),
    "project_refused": Message("2308", "GL account {value} does not allow a project."),
    "account_currency": Message("2305", "GL account {value} accepts only {currency}."),
    "account_type": Message("2306", "GL account {value} cannot be used here."),
    "code_inactive": Message("2307", "{what} {value} is not active."),
    "no_rate": Message("2401", "No exchange rate from {currency} to {base} on {date}."),
    "unbalanced": Message("2501", "Lines and taxes make {value}, the document says {total}."),
    "no_lines": Message("2502", "The document has an amount but no lines."),
    "wrong_column": Message("2503", "Debit and credit cannot both be above zero."),
    "negative": Message("2504", "The amount {value} must not be negative."),
    "posted": Message("2602", "Document {value} is posted and cannot be changed."),
    "not_opposite": Message("2603", "A correction of {value} must be its opposite: same kind, customer and currency."),
    "date_shifted": Message("2104", "Period {period} is closed; the document was posted on {value}."),
    "duplicate": Message("2601", "External reference {value} already exists on another document."),
    "over_applied": Message("2701", "The applied amount {value} exceeds the open amount {open} of {what}."),
    "cross_currency": Message("2702", "Document {value} has another currency."),
    "cross_customer": Message("2703", "Document {value} belongs to another customer."),
}
DAYBOOKS = {  # kind of document -> default daybook; a reversal takes the second
    "invoice": ("CINV", "CINVC"),
    "credit_note": ("CCRN", "CCRNC"),
    "payment": ("CPAY", "CPAYC"),
    "adjustment": ("CADJ", "CADJ"),
    "journal": ("CJRN", "CJRN"),
}
