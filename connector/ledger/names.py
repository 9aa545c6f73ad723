"""Company names made comparable, so that 'Dvořák Tooling, s.r.o.' finds 'DVORAK TOOLING'."""

from __future__ import annotations

import re
import unicodedata

# Letters that decomposing leaves whole. 'ü' becomes 'u'; 'ue' stays, for it is no umlaut in most names.
_WRITTEN_OUT = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ı": "i", "&": " and "}
)
_SPELLED = re.compile(r"(?<=\b\w)[./](?=\w\b)")  # the dots of S.A.R.L. and the stroke of A/S close up
_LEGAL_FORMS = frozenset(
    """ab ag aktiengesellschaft aps as asa bv bvba bhd cc co company corp corporation cv dac doo eirl ek eood eurl
    gbr gesmbh ggmbh gmbh hf ic inc incorporated kft kg kgaa kk kommanditgesellschaft lc limited limitada lp llc llp
    ltd ltda mbh nv ohg ood oy oyj pbc plc pllc private pte pty pvt sa sarl sas sasu sdn se sl slu sp spa spj sprl srl
    srls sro ug ulc unlimited vof wll zoo zrt""".split()  # noqa: SIM905
)
_LINKS = frozenset({"and", "the"})


def normalised(name: str) -> str:
    """`name` in lower case, without accents, punctuation, and legal forms at either end.

    '' only for a text without letters and digits; a name that is nothing but a legal form keeps it.
    """
    words = _words(name)
    return " ".join(_bare(words) or words)


def _words(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", name.casefold().translate(_WRITTEN_OUT))
    letters = "".join(c for c in plain if not unicodedata.combining(c)).translate(_WRITTEN_OUT)
    closed = _SPELLED.sub("", letters.replace("'", "").replace("’", ""))
    return re.findall(r"[^\W_]+", closed)


def _bare(words: list[str]) -> list[str]:
    """'Meyer & Co. KG' loses '& Co. KG'; 'Smith & Sons' keeps its '&'; 'The' and 'AB' go from the front."""
    first, last = 0, len(words)
    while last and (words[last - 1] in _LEGAL_FORMS or words[last - 1] in _LINKS):
        last -= 1
    while first < last and (words[first] in _LEGAL_FORMS or words[first] == "the"):
        first += 1
    return words[first:last]
