"""Two sides edit one field: every case of the merge, and any order of edits, passes and crashes."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from connector.ledger.merging import (
    PARKED,
    Act,
    Base,
    Lost,
    Pending,
    Rule,
    Side,
    Verdict,
    Written,
    braked,
    decide,
    recover,
)
from connector.ledger.projecting import Projection

SHORT = Projection(longest={"name": 4, "city": 4, "contact": 4}, in_capitals=True)
NOW = dt.datetime(2026, 11, 26, 9, tzinfo=dt.UTC)
AGREED, LEFT, KEPT, PARK = (
    Verdict(Act.AGREED),
    Verdict(Act.LEFT),
    Verdict(Act.KEPT),
    Verdict(Act.PARKED, "", Lost.PARKED),
)


def to_qad(value: str, lost: Lost = Lost.NOTHING) -> Verdict:
    return Verdict(Act.TO_QAD, value, lost)


def to_chargebee(value: str, lost: Lost = Lost.NOTHING) -> Verdict:
    return Verdict(Act.TO_CHARGEBEE, value, lost)


@pytest.mark.parametrize(
    ("owner", "base", "chargebee", "qad", "verdict"),
    [
        ("chargebee", ("a", "a"), "a", "a", AGREED),
        ("chargebee", ("a", "a"), "b", "a", to_qad("b")),
        ("chargebee", ("a", "a"), "a", "b", to_qad("a", Lost.REJECTED_EDIT)),
        ("chargebee", ("a", "a"), "b", "c", to_qad("b", Lost.BOTH_CHANGED)),
        ("chargebee", ("a", "a"), "b", "b", AGREED),
        ("chargebee", ("a", "a"), "", "a", KEPT),
        ("chargebee", ("", "a"), "", "b", KEPT),
        ("chargebee", ("a", "x"), "a", "x", LEFT),
        ("qad", ("a", "a"), "a", "b", to_chargebee("b")),
        ("qad", ("a", "a"), "b", "a", to_chargebee("a", Lost.REJECTED_EDIT)),
        ("qad", ("a", "a"), "b", "c", to_chargebee("c", Lost.BOTH_CHANGED)),
        ("qad", ("a", "a"), "a", "", KEPT),
        ("shared", ("a", "a"), "b", "a", to_qad("b")),
        ("shared", ("a", "a"), "a", "b", to_chargebee("b")),
        ("shared", ("a", "a"), "b", "c", PARK),
        ("shared", ("a", "a"), "a", "", KEPT),
        ("chargebee", None, "a", "b", to_qad("a", Lost.FIRST_LINK)),
        ("chargebee", None, "a", "", to_qad("a")),
        ("chargebee", None, "", "b", KEPT),
        ("qad", None, "a", "b", to_chargebee("b", Lost.FIRST_LINK)),
        ("shared", None, "", "b", to_chargebee("b")),
        ("shared", None, "a", "b", PARK),
    ],
)
def test_each_case_of_the_merge(owner, base, chargebee, qad, verdict):
    rule_ = Rule("telephone_of_nobody", owner)
    found = decide(Rule("name", owner), Base(*base, rule_.signature) if base else None, chargebee, qad, Projection())
    assert found == verdict


def test_a_blank_erases_only_where_the_owner_says_so():
    base = Base("a", "a", "chargebee!")
    assert decide(Rule("city", "chargebee", blank_erases=True), base, "", "a", Projection()) == to_qad("")


def test_a_new_owner_settles_what_differed_under_the_old_one_and_says_so():
    base = Base("a", "b", "chargebee")
    assert decide(Rule("city", "qad"), base, "a", "b", Projection()) == to_chargebee("b", Lost.NEW_OWNER)


def test_what_is_parked_stays_parked_whoever_edits_until_both_are_the_same():
    base = Base("b", "c", PARKED)
    assert decide(Rule("city", "shared"), base, "d", "c", Projection()) == PARK
    assert decide(Rule("city", "shared"), base, "c", "c", Projection()) == AGREED
    assert decide(Rule("city", "qad"), base, "b", "c", Projection()).act == Act.TO_CHARGEBEE


def test_what_the_other_side_cannot_keep_is_no_difference():
    assert decide(Rule("name", "chargebee"), None, "longer name", "LONG", SHORT) == AGREED
    assert decide(Rule("name", "qad"), None, "LONG", "LONG", SHORT) == AGREED


@pytest.mark.parametrize(
    ("now", "version", "base"),
    [
        ("old", "1", None),  # nothing happened there
        ("new", "2", Base("source", "new", "chargebee")),  # it landed
        ("old", "3", Base("before", None, "chargebee")),  # changed back, or another field was changed: an edit
        ("else", "2", Base("before", None, "chargebee")),
    ],
)
def test_an_unfinished_write_is_known_by_version_and_value(now, version, base):
    pending = Pending(Side.QAD, {"name": "new"}, {"name": "source"}, {"name": "chargebee"}, "1")
    found, landed = recover(pending, {"name": Base("before", "old", "chargebee")}, {"name": now}, version)
    assert found.get("name") == base
    assert landed == (("name",) if now == "new" else ())


def test_what_was_edited_after_an_unfinished_write_counts_as_changed_whatever_it_reads():
    base = Base("a", None, "chargebee")
    assert decide(Rule("name", "chargebee"), base, "a", "b", Projection()) == to_qad("a", Lost.REJECTED_EDIT)


def history(*marks: str, side: Side = Side.QAD, minutes: int = 10) -> list[Written]:
    return [Written("name", side, mark, NOW - dt.timedelta(minutes=minutes)) for mark in marks]


@pytest.mark.parametrize(
    ("before", "mark", "is_braked"),
    [
        (history("a", "b"), "c", False),
        (history("a", "b", "c"), "d", True),
        (history("a", "b", "c", minutes=61), "d", False),
        (history("a", "b"), "a", True),
        (history("a", "a"), "a", False),
        (history("a", "b", side=Side.CHARGEBEE), "a", False),
    ],
)
def test_too_many_writes_or_a_write_back_and_forth_pull_the_brake(before, mark, is_braked):
    assert bool(braked(before, [Written("name", Side.QAD, mark, NOW)], NOW)) is is_braked


FIELDS = {"name": "chargebee", "city": "qad", "contact": "shared"}
VALUES = st.sampled_from(["ann", "Ann B", "ANNBO", "x", "longer name", "LONG", ""])


class Both(RuleBasedStateMachine):
    """Two records that people edit, one store that keeps four capitals, and a keeper that may die between the write
    and its base. Versions belong to the record, as they do in the real systems."""

    def __init__(self) -> None:
        super().__init__()
        self.has = {Side.CHARGEBEE: dict.fromkeys(FIELDS, "ann"), Side.QAD: dict.fromkeys(FIELDS, "ANN")}
        self.version = {Side.CHARGEBEE: 0, Side.QAD: 0}
        self.base: dict[str, Base] = {}
        self.pending: Pending | None = None
        self.log: list[tuple[str, str]] = []
        self.edits: dict[tuple[Side, str], str] = {}
        self.writes = 0
        self.keep_the_same(dies=False)

    @rule(name=st.sampled_from(sorted(FIELDS)), value=VALUES)
    def edit_in_chargebee(self, name: str, value: str) -> None:
        self.edit(Side.CHARGEBEE, name, value)

    @rule(name=st.sampled_from(sorted(FIELDS)), value=VALUES)
    def edit_in_qad(self, name: str, value: str) -> None:
        self.edit(Side.QAD, name, SHORT.to_qad(name, value))

    @rule(name=st.sampled_from(sorted(FIELDS)))
    def undo_in_qad(self, name: str) -> None:
        """Back to what stood there when the two last agreed."""
        if name in self.base and self.base[name].qad is not None:
            self.edit(Side.QAD, name, self.base[name].qad)

    @rule(name=st.sampled_from(sorted(FIELDS)), value=VALUES)
    def undo_what_a_dying_keeper_wrote(self, name: str, value: str) -> None:
        """Chance alone brings these three together too seldom."""
        self.edit_in_chargebee(name, value)
        self.keep_the_same(dies=True)
        self.undo_in_qad(name)

    def edit(self, side: Side, name: str, value: str) -> None:
        is_edit = value != self.has[side][name]
        self.has[side][name] = value
        self.version[side] += 1
        if not is_edit:
            return  # saved as it was
        base = self.base.get(name)
        settled = base and (base.qad if side == Side.QAD else base.chargebee)
        if self.pending is not None and self.pending.side == side:
            settled = self.pending.targets.get(name, settled)
        if value == settled:
            self.edits.pop((side, name), None)  # what was undone before anybody looked
        else:
            self.edits[side, name] = value

    @rule(dies=st.booleans())
    def keep_the_same(self, dies: bool) -> None:
        chargebee, qad = self.has[Side.CHARGEBEE], self.has[Side.QAD]
        self.recover()
        for name, owner in FIELDS.items():
            rule_ = Rule(name, owner)  # type: ignore[arg-type]
            verdict = decide(rule_, self.base.get(name), chargebee[name], qad[name], SHORT)
            if verdict.side is not None:
                if self.write(rule_, verdict, dies=dies):
                    return
            elif verdict.act in (Act.AGREED, Act.KEPT, Act.PARKED):
                signature = PARKED if verdict.act == Act.PARKED else rule_.signature
                self.base[name] = Base(chargebee[name], qad[name], signature)
                self.edits = {key: value for key, value in self.edits.items() if key[1] != name}

    def recover(self) -> None:
        if self.pending is not None:
            side = self.pending.side
            found, landed = recover(self.pending, self.base, self.has[side], str(self.version[side]))
            self.base |= found
            other = Side.CHARGEBEE if side == Side.QAD else Side.QAD
            for name in landed:  # the other side took it over: a later edit may follow it
                self.edits.pop((other, name), None)
            self.pending = None

    def write(self, rule_: Rule, verdict: Verdict, *, dies: bool) -> bool:
        side, name = verdict.side, rule_.name
        assert side is not None
        assert rule_.owner != side, "the connector changed a field on its owner's side"
        other = Side.CHARGEBEE if side == Side.QAD else Side.QAD
        there = self.has[side][name]
        if verdict.lost:
            self.log.append((name, there))
        edit = self.edits.pop((side, name), None)
        assert edit != there or (name, there) in self.log, f"the edit {there!r} of {name} is lost"
        source, seen = self.has[other][name], str(self.version[side])
        self.pending = Pending(side, {name: verdict.target}, {name: source}, {name: rule_.signature}, seen)
        self.has[side][name] = verdict.target
        self.version[side] += 1
        self.writes += 1
        if dies:
            return True
        self.base[name] = Base(self.has[Side.CHARGEBEE][name], self.has[Side.QAD][name], rule_.signature)
        self.edits.pop((other, name), None)
        self.pending = None
        return False

    def teardown(self) -> None:
        for _ in range(2):
            self.keep_the_same(dies=False)
        before = self.writes
        self.keep_the_same(dies=False)
        assert self.writes == before, "it goes on writing"
        for name in FIELDS:
            here, there = self.has[Side.CHARGEBEE][name], self.has[Side.QAD][name]
            is_blank = "" in (here, there)
            is_parked = self.base[name].rule == PARKED
            assert SHORT.same(name, here, there) or is_blank or is_parked, f"{name} differs: {here!r}, {there!r}"


def converge(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Both,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.slow
def test_any_edits_and_crashes_end_the_same_on_both_sides_with_no_edit_lost():
    converge(120, 12)


@pytest.mark.slow
def test_many_edits_and_crashes_end_the_same_on_both_sides_with_no_edit_lost():
    converge(1200, 20)
