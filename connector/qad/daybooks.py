"""In which daybook QAD will post a document, as far as anybody can know beforehand: its locks decide about the date."""

from __future__ import annotations

from connector.ledger.dating import daybook_type, own_daybook
from connector.ledger.documents import LedgerDocument, Reversal
from connector.ledger.reference_data import ReferenceData
from connector.qad.document_fields import SOURCES
from connector.qad.profile_shape import Profile


def daybook_of(document: LedgerDocument, profile: Profile, known: ReferenceData) -> str:
    """The one that the document or the profile names, else the only active one of its type in QAD; '' if not known."""
    return _named(document, profile) or _only(daybook_type(document), known)


def configured(profile: Profile) -> dict[str, str]:
    """Entity (or 'entity reversal') -> the daybook that the profile's constants name for it."""
    found = {}
    for entity, write in profile.writes.items():
        field = write.receipt.daybook
        for label, constants in ((entity, write.constants), (f"{entity} reversal", write.reversal.constants)):
            if field and constants.get(field):
                found[label] = str(constants[field])
    return found


def _named(document: LedgerDocument, profile: Profile) -> str:
    is_reversal = isinstance(document, Reversal)
    plain = document.original if isinstance(document, Reversal) else document
    entity = SOURCES[type(plain)][0].entity
    write, own = profile.write(entity), own_daybook(document)
    if own and write is not None and "daybook" in write.fields:
        return own
    named = configured(profile)
    return (named.get(f"{entity} reversal", "") if is_reversal else "") or named.get(entity, "")


def _only(name: str, known: ReferenceData) -> str:
    codes = known.daybooks.get(name) or known.daybooks.get(name.removesuffix("correction"), ())
    return codes[0] if len(codes) == 1 else ""
