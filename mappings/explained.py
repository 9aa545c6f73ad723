"""An explanation of the kernel as rows of a page: each place that was looked at, what was there, and its mapping."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse

from connector.ledger.coding import Explanation, MappingTable, Step
from connector.ledger.explaining import Question, explain
from mappings.models import AccountRole, BankMapping, ItemMapping, Level, RoleName, TaxMapping

MODELS: dict[str, type[ItemMapping | TaxMapping | BankMapping | AccountRole]] = {
    "item": ItemMapping,
    "tax": TaxMapping,
    "bank": BankMapping,
    "role": AccountRole,
}
TITLES = {"item": "Item", "tax": "Tax", "bank": "Payment", "role": "Role"}
_LEVELS = {level.value: str(level.label) for level in Level}


@dataclass(frozen=True, slots=True)
class Look:
    """One place. `codes` is empty where no row was found; `url` leads to the row."""

    place: str
    outcome: str
    codes: str
    url: str
    wins: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """One question with its looks; `account` is '' where nothing is mapped."""

    title: str
    subject: str
    date: str
    account: str
    looks: tuple[Look, ...]


def answer(table: MappingTable, question: Question) -> Answer:
    """Why a question is answered as it is."""
    found = explain(table, question)
    subject = RoleName(question.names[0]).label if question.kind == "role" else question
    return Answer(
        title=TITLES[question.kind],
        subject=str(subject),
        date=f"{question.on:%Y-%m-%d}",
        account=found.winner.coding.gl_account or found.winner.coding.tax_code if found.winner else "",
        looks=tuple(_looks(question.kind, found)),
    )


def _looks(kind: str, found: Explanation) -> Iterable[Look]:
    for step in found.steps:
        yield Look(
            place=_place(kind, step),
            outcome=step.outcome,
            codes=_codes(step),
            url=_url(kind, step),
            wins=step.outcome == "wins",
        )


def _place(kind: str, step: Step) -> str:
    """'item_price pro-EUR' -> 'Item price pro-EUR'; a key of which all parts may be anything is the default."""
    if kind != "item":
        return "Any" if step.place == "default" else step.place
    level, _, key = step.place.partition(" ")
    return f"{_LEVELS.get(level, level)} {key}".strip()


def _codes(step: Step) -> str:
    if step.rule is None:
        return ""
    coding = step.rule.coding
    codes = (
        coding.gl_account,
        coding.sub_account,
        coding.cost_centre,
        coding.project,
        coding.qad_item,
        coding.tax_code,
    )
    return " / ".join(code for code in codes if code)


def _url(kind: str, step: Step) -> str:
    """'item:12@3' -> the page of row 12."""
    pk = step.rule.coding.source.partition(":")[2].partition("@")[0] if step.rule else ""
    return reverse(f"admin:mappings_{MODELS[kind]._meta.model_name}_change", args=[pk]) if pk else ""
