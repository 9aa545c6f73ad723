"""Documents to the exact bytes of a request, as a profile says. Pure, deterministic, compiled once per profile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

from connector.errors import Problem
from connector.ledger.documents import LedgerDocument, QadCustomer, Reversal
from connector.money import Money
from connector.qad.compiling import Corrected, compile_body, is_opposite, sign_of
from connector.qad.document_fields import SOURCES, Source
from connector.qad.encode import constant, quoted
from connector.qad.profile_shape import Correction, Profile, Write
from connector.qad.substitute import filled, filled_pairs, filled_values

Document = LedgerDocument | QadCustomer
CorrectionKind = Literal["reversal", "refund", "unapplication"]

HEADERS = (("Content-Type", "application/json"), ("Accept", "application/json"))


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """One write, ready to go. `path` is relative to the base URL; `reference` and `total` are what an echo must say."""

    entity: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)
    reference: str = ""
    total: Decimal | None = None


@dataclass(frozen=True, slots=True)
class _Compiled:
    entity: str
    source: Source
    path: str
    query: Callable[[str], tuple[tuple[str, str], ...]]
    body: Callable[[Any, list[Problem]], str]
    frame: tuple[str, str]
    gaps: tuple[Problem, ...]
    total: Callable[[Money], Money]


def render(document: Document, profile: Profile, entity: str = "") -> WriteRequest | list[Problem]:
    """The request that creates `document`, or everything that stands against it.

    `entity` chooses the step of a document that takes several (see `steps`); '' is the first.
    """
    if isinstance(document, Reversal):
        return _reversal(document, profile)
    kind: Any = type(document)
    compiled = _compiled(profile, kind, entity, "")
    if isinstance(compiled, list):
        return compiled
    if not compiled.source.correction:
        return _rendered(document, document, compiled)
    original = getattr(document, "original_reference", ""), getattr(document, "original_number", "")
    return _rendered(document, Corrected(document, *original), compiled)


def _reversal(reversal: Reversal, profile: Profile) -> WriteRequest | list[Problem]:
    original = reversal.original
    own = replace(
        original,
        reference=reversal.reference,
        document_date=reversal.document_date,
        posting_date=reversal.posting_date,
    )
    return render_correction(
        own,
        profile,
        "reversal",
        original_reference=original.reference,
        original_number=reversal.original_number,
    )


def render_correction(
    document: Document, profile: Profile, kind: CorrectionKind, *, original_reference: str, original_number: str
) -> WriteRequest | list[Problem]:
    """The request that takes `document` back; it carries its own reference and dates, the original is only named."""
    document_class: Any = type(document)
    compiled = _compiled(profile, document_class, "", kind)
    if isinstance(compiled, list):
        return compiled
    return _rendered(document, Corrected(document, original_reference, original_number), compiled)


def steps(profile: Profile, document: type) -> tuple[str, ...]:
    """The entities that a document of this class is written to, in order: those that the profile configures."""
    return tuple(source.entity for source in SOURCES[document] if source.entity in profile.writes)


def _rendered(document: Any, row: Any, compiled: _Compiled) -> WriteRequest | list[Problem]:
    problems: list[Problem] = list(compiled.gaps)
    body = compiled.body(row, problems)
    key = compiled.source.key(document)
    if problems:
        return [replace(problem, subject=f"{compiled.source.names} '{key}'") for problem in problems]
    start, end = compiled.frame
    total = getattr(document, "total", None)
    return WriteRequest(
        compiled.entity,
        "POST",
        compiled.path,
        compiled.query(key),
        HEADERS,
        f"{start}{body}{end}".encode(),
        compiled.source.reference(document),
        compiled.total(total).amount if total is not None else None,
    )


@lru_cache(maxsize=256)
def _compiled(profile: Profile, document: Any, entity: str, correction: str) -> _Compiled | list[Problem]:
    source = next(source for source in SOURCES[document] if entity in ("", source.entity))
    target: str = source.entity
    write = profile.write(target)
    if write is None:
        return [_not_configured(target)]
    rules: list[Correction] = []
    for name in filter(None, (source.correction, correction)):
        rule: Correction = getattr(write, name)
        if rule.how == "not_possible":
            return [_no_correction(target, name)]
        if rule.how == "own_entity":
            target = rule.entity
            write = profile.write(target) or write
        rules.append(rule)
    return _Compiled(
        target,
        source,
        filled(write.path, profile.context),
        _query(write, profile),
        compile_body(source, write, profile, target, rules),
        _frame(write, profile),
        _gaps(target, write),
        sign_of(write.sign, is_opposite(rules)),
    )


def _query(write: Write, profile: Profile) -> Callable[[str], tuple[tuple[str, str], ...]]:
    pairs = filled_pairs({**profile.context.query, **write.query}, profile.context)
    if write.view_uri:
        pairs = (*pairs, (write.view_uri_parameter, write.view_uri))
    if not any("{" in value for _, value in pairs):
        return lambda _: pairs
    return lambda key: tuple((name, value.replace("{code}", key).replace("{reference}", key)) for name, value in pairs)


def _frame(write: Write, profile: Profile) -> tuple[str, str]:
    """What stands around the document: an envelope with its collection, or the brackets of an array of one."""
    if write.style == "array":
        return "[", "]"
    others = filled_values(write.envelope, profile.context)
    fragments = [constant(name, others[name])(None, []) for name in sorted(others)]
    return "{" + "".join(f"{fragment}," for fragment in fragments) + f"{quoted(write.collection)}:[", "]}"


def _gaps(entity: str, write: Write) -> tuple[Problem, ...]:
    return tuple(
        Problem(
            "profile-constant-empty",
            "",
            f"The QAD profile does not say which '{name}' this instance wants.",
            f"Fill in writes.{entity}.constants.{_quoted_key(name)} in the QAD profile.",
            "qad-profile",
        )
        for name in write.required_constants
        if write.constants.get(name) == ""
    )


def _quoted_key(name: str) -> str:
    return f'"{name}"' if "." in name else name


def _not_configured(entity: str) -> Problem:
    return Problem(
        "qad-entity-not-configured",
        f"QAD entity '{entity}'",
        f"The QAD profile does not say how '{entity}' is written.",
        f"Add [writes.{entity}] to the QAD profile, then test the connection.",
        "qad-profile",
    )


def _no_correction(entity: str, correction: str) -> Problem:
    return Problem(
        "qad-correction-not-configured",
        f"QAD entity '{entity}'",
        f"The QAD profile does not say how the {correction} of '{entity}' is written.",
        f"Set writes.{entity}.{correction}.how in the QAD profile, or book it in QAD by hand.",
        "qad-profile",
    )
