"""The tables of states: every pair has one disposition, every move leads somewhere."""

import pytest

from syncs.states import DONE, IN_FLIGHT, MOVES, Disposition, PostingState, SourceState, disposition, may_move


@pytest.mark.parametrize("source", [state for state in SourceState if state != SourceState.CODED])
@pytest.mark.parametrize("posting", [None, *PostingState])
def test_a_document_that_waits_or_is_held_counts_so_whatever_was_posted_of_it(source, posting):
    assert disposition(source, posting) == disposition(source, None)
    assert disposition(source, posting) in Disposition


@pytest.mark.parametrize("posting", PostingState)
def test_a_prepared_document_counts_as_its_posting_does(posting):
    assert disposition(SourceState.CODED, posting) in Disposition


@pytest.mark.parametrize("posting", DONE)
def test_only_what_qad_has_counts_as_posted(posting):
    assert disposition(SourceState.CODED, posting) == Disposition.POSTED
    others = [state for state in PostingState if state not in DONE]
    assert Disposition.POSTED not in {disposition(SourceState.CODED, state) for state in others}


@pytest.mark.parametrize(("source", "posting"), [("coded", None), ("coded", "odd"), ("odd", None), ("", "posted")])
def test_a_pair_that_nobody_foresaw_has_no_disposition_and_so_turns_a_run_red(source, posting):
    assert disposition(source, posting) is None


def test_the_table_of_moves_knows_every_state():
    assert set(MOVES) == set(PostingState)


@pytest.mark.parametrize("state", [*IN_FLIGHT, *DONE])
def test_what_qad_has_or_may_have_is_never_held_or_ignored(state):
    assert not may_move(state, PostingState.HELD)
    assert not may_move(state, PostingState.IGNORED)


def test_nothing_becomes_sent_but_what_was_ready():
    assert {state for state in PostingState if may_move(state, PostingState.SENDING)} == {PostingState.READY}


def test_what_qad_has_is_never_ready_again():
    assert not any(may_move(state, PostingState.READY) for state in DONE)
