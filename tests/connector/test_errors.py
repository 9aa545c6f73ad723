"""Somebody else's words stand in our sentences without a second full stop."""

from __future__ import annotations

import pytest

from connector.errors import clause
from connector.http.failing import failure


@pytest.mark.parametrize("words", ["It was taken.", "It was taken. ", "It was taken...", "It was taken"])
def test_a_clause_has_no_full_stop_of_its_own(words):
    assert clause(words) == "It was taken"


@pytest.mark.parametrize("has_sent", [True, False])
def test_what_a_library_says_ends_inside_the_sentence(has_sent):
    said = failure(OSError("The line is dead."), host="qad", deadline=1, secrets=(), has_sent=has_sent).message
    assert "The line is dead." in said and ".." not in said
