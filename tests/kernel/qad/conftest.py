"""The instance that the tests of this folder talk to."""

from __future__ import annotations

import pytest

from tests.kernel.qad.instance import a_bench


@pytest.fixture
def bench():
    with a_bench() as made:
        yield made
