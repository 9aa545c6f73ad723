"""What a profile can say about a QAD instance: frozen values, one for each part of it.

A field without a default is required. `metadata["is_"]` names the test that a text must pass (see profile_rules).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from connector.qad.closed import Entity, ListName

POINTER = {"is_": "pointer"}  # '' or a JSON pointer
ROUTE = {"is_": "route"}  # '' or a path, collection, browse id or URI that names no forbidden word
PATH = {"is_": "path"}  # as ROUTE, and '' or begins with '/'
PATTERN = {"is_": "pattern"}  # a regular expression
TEMPLATE = {"is_": "template"}  # text with {placeholders}
PAGE_SIZE = {"is_": "page_size"}
POSITIVE = {"is_": "positive"}
DATES = {"is_": "date_format"}

Side = Literal["debit", "credit"]
HeaderSign = Literal["signed", "reversed", "absolute"]
TableSign = Literal["signed", "reversed", "absolute", "debit_credit"]
Operator = Literal["equals", "starts_with", "at_least", "at_most"]
Meaning = Literal[
    "duplicate", "already_exists", "not_found", "period_closed", "daybook_wrong", "no_rate", "account_currency",
    "dimension_missing", "dimension_not_allowed", "inactive", "unknown_code", "too_long", "missing",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Auth:
    """How a call proves who it is. Lives in seconds; 0 means that the instance does not say."""

    style: Literal["oauth2_password", "bearer", "basic"]
    token_path: str = field(default="/oauth/token", metadata=PATH)
    client_id: str = ""
    session_seconds: int = 0
    idle_seconds: int = 0
    refresh_margin_seconds: int = 60


@dataclass(frozen=True, slots=True)
class Context:
    """Which company the calls are about. {domain}, {entity} and {shared_set} may stand in paths, queries, constants."""

    domain: str = ""
    entity: str = ""
    shared_set: str = ""
    header: str = ""
    header_value: str = field(default="{domain}_{entity}", metadata=TEMPLATE)
    query: Mapping[str, str] = field(default_factory=dict, metadata=ROUTE)


@dataclass(frozen=True, slots=True)
class Values:
    """How dates and amounts are written, in bodies, filters and replies. Numbers are exact digits, never floats."""

    dates: str = field(default="%Y-%m-%d", metadata=DATES)
    amounts: Literal["number", "string"] = "number"
    characters: Literal["unicode", "latin-1", "ascii"] = "unicode"  # what a customer's texts may hold there
    letters: Literal["as_is", "capitals"] = "as_is"  # how a customer's name and address are kept there


@dataclass(frozen=True, slots=True)
class Paging:
    """How a list is walked. `more` says where the end shows: a flag, a total, or a page that is not full."""

    style: Literal["page", "offset"]
    more: Literal["flag", "total", "full_page"]
    size: int = field(default=100, metadata=PAGE_SIZE)
    page_parameter: str = "page"
    size_parameter: str = "pageSize"
    action_parameter: str = ""
    first_action: str = "first"
    next_action: str = "next"
    offset_parameter: str = "offset"
    limit_parameter: str = "limit"
    more_pointer: str = field(default="", metadata=POINTER)
    total_pointer: str = field(default="", metadata=POINTER)
    count_path: str = field(default="", metadata=PATH)
    count_pointer: str = field(default="", metadata=POINTER)


@dataclass(frozen=True, slots=True)
class Filters:
    """How a list is narrowed. `unsafe` are characters that a filter value cannot carry on this instance."""

    operators: Mapping[Operator, str]
    parameter: str = field(default="filter", metadata=TEMPLATE)
    template: str = field(default="{field},{operator},{value},literal", metadata=TEMPLATE)
    join: str = ""  # '' repeats the parameter, anything else joins several filters with it
    unsafe: str = ","


@dataclass(frozen=True, slots=True)
class Browse:
    """What all lists have in common."""

    paging: Paging
    filters: Filters
    path: str = field(default="", metadata=PATH)
    rows: str = field(default="/data", metadata=POINTER)
    keys: Literal["flat", "nested"] = "flat"
    browse_id_parameter: str = "browseId"
    call_id_parameter: str = ""
    query: Mapping[str, str] = field(default_factory=dict, metadata=ROUTE)


@dataclass(frozen=True, slots=True)
class ListOf:
    """One list: where it is and what its fields are called there (ours -> theirs)."""

    fields: Mapping[str, str]
    browse_id: str = field(default="", metadata=ROUTE)
    path: str = field(default="", metadata=PATH)
    key_prefix: str = field(default="", metadata=ROUTE)
    query: Mapping[str, str] = field(default_factory=dict, metadata=ROUTE)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows inside a document: its lines, taxes or applications. A dot in an instance's name nests.

    Sign: as ours, the opposite of ours, without a sign, or in two columns; `plus` is the column of a positive amount.
    """

    collection: str = field(metadata=ROUTE)
    fields: Mapping[str, str]
    constants: Mapping[str, Any] = field(default_factory=dict)
    max_length: Mapping[str, int] = field(default_factory=dict, metadata=POSITIVE)
    sign: TableSign = "signed"
    plus: Side = "credit"


@dataclass(frozen=True, slots=True)
class Correction:
    """How a reversal, refund or un-application is written. The amounts change sign; `constants` mark it as one.

    negative_document: the same entity; own_entity: another of [writes]; correction_daybook: the same entity in the
    daybook (or under the flag) that `constants` name.
    """

    how: Literal["own_entity", "negative_document", "correction_daybook", "not_possible"] = "not_possible"
    entity: Entity | Literal[""] = ""
    constants: Mapping[str, Any] = field(default_factory=dict)
    link: Mapping[Literal["reference", "number"], str] = field(default_factory=dict)  # of the document corrected


@dataclass(frozen=True, slots=True)
class Lookup:
    """How a document is found again by our reference. `many` allows reading whole pages by date for many at once."""

    how: Literal["browse", "read", "none"] = "none"
    list: ListName | Literal[""] = ""
    match: Operator = "equals"
    many: bool = False


@dataclass(frozen=True, slots=True)
class Update:
    """How a record that exists is changed. whole_record: it is read, patched and sent back whole, with its hash.

    `constants` are laid over the record that goes back.
    """

    how: Literal["whole_record", "not_possible"] = "not_possible"
    constants: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReceiptFields:
    """Where the record that comes back says what QAD made of it: names or pointers inside the record."""

    number: str
    year: str = ""
    daybook: str = ""
    voucher: str = ""
    posting_date: str = ""
    reference: str = ""
    total: str = ""


@dataclass(frozen=True, slots=True)
class Write:
    """One entity that may be written.

    `required_constants` are the constants that only the tenant knows: nothing is sent while one of them is empty.
    `record` is where a keyed read shows it ('' is the whole answer), `keys` what the read asks by (ours -> theirs).
    """

    style: Literal["envelope", "array"]
    path: str = field(metadata=PATH)
    fields: Mapping[str, str]
    receipt: ReceiptFields
    collection: str = field(default="", metadata=ROUTE)
    view_uri: str = field(default="", metadata=ROUTE)
    view_uri_parameter: str = "viewUri"
    query: Mapping[str, str] = field(default_factory=dict, metadata=ROUTE)
    envelope: Mapping[str, Any] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    required_constants: tuple[str, ...] = ()
    max_length: Mapping[str, int] = field(default_factory=dict, metadata=POSITIVE)
    too_long: Literal["cut", "hold"] = "hold"
    sign: HeaderSign = "signed"
    lines: Table | None = None
    taxes: Table | None = None
    applications: Table | None = None
    read_path: str = field(default="", metadata=PATH)
    keys: Mapping[str, str] = field(default_factory=dict)
    record: str = field(default="", metadata=POINTER)
    lookup: Lookup = field(default_factory=Lookup)
    update: Update = field(default_factory=Update)
    reversal: Correction = field(default_factory=Correction)
    refund: Correction = field(default_factory=Correction)
    unapplication: Correction = field(default_factory=Correction)
    read_fields: Mapping[str, str] = field(default_factory=dict)  # seen by a keyed read, never written
    probe: Literal["keyed_get", "collection", "options"] = "keyed_get"


@dataclass(frozen=True, slots=True)
class Replies:
    """How the instance says yes and no. `{collection}` may stand in pointers to a record.

    An entry of an `errors` list whose severity is one of `warning_severities` does not refuse anything.
    """

    statuses: tuple[int, ...] = (200, 201)
    success: str = field(default="", metadata=POINTER)
    success_values: tuple[str, ...] = ("true",)
    refusal_values: tuple[str, ...] = ("false", "error", "failed")
    record: str = field(default="/data/{collection}/0", metadata=POINTER)
    errors: tuple[str, ...] = field(default=("/errors",), metadata=POINTER)
    warnings: tuple[str, ...] = field(default=(), metadata=POINTER)
    message: str = "message"
    field_name: str = "fieldName"
    field_value: str = "fieldValue"
    code: str = "code"
    severity: str = "severity"
    warning_severities: tuple[str, ...] = ()
    not_processed_statuses: tuple[int, ...] = ()
    patterns: Mapping[Meaning, tuple[str, ...]] = field(default_factory=dict, metadata=PATTERN)


@dataclass(frozen=True, slots=True)
class Profile:
    """All that the connector knows about one instance beyond its address and credentials."""

    auth: Auth
    browse: Browse
    name: str = ""
    notes: str = ""
    context: Context = field(default_factory=Context)
    values: Values = field(default_factory=Values)
    replies: Replies = field(default_factory=Replies)
    lists: Mapping[ListName, ListOf] = field(default_factory=dict)
    writes: Mapping[Entity, Write] = field(default_factory=dict)

    def write(self, entity: str) -> Write | None:
        return self.writes.get(cast(Entity, entity))

    def list_of(self, name: str) -> ListOf | None:
        return self.lists.get(cast(ListName, name))

    def __hash__(self) -> int:
        return id(self)  # profiles are compiled once each; two equal ones may be compiled twice
