"""docs/ACCOUNTING.md is true: its tests and functions exist, and its journals balance."""

from __future__ import annotations

import ast
import importlib
import re
from decimal import Decimal
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "ACCOUNTING.md").read_text()
TESTS = re.findall(r"`(tests/\S+\.py)::(\w+)`", TEXT)
FUNCTIONS = re.findall(r"`((?:connector|syncs)\.[\w.]+)`", TEXT)
JOURNALS = re.findall(r"(?:(?:Dr|Cr) \d{4} [\d.]+\d(?:,? )?)+", TEXT)


@pytest.mark.parametrize("path", sorted({path for path, _ in TESTS}))
def test_every_named_test_exists(path):
    tree = ast.parse((ROOT / path).read_text())
    known = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert {name for where, name in TESTS if where == path} <= known


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS)))
def test_every_named_function_exists(name):
    module, _, function = name.rpartition(".")
    assert callable(getattr(importlib.import_module(module), function))


@pytest.mark.parametrize("text", JOURNALS)
def test_every_journal_balances(text):
    sides = {"Dr": Decimal(0), "Cr": Decimal(0)}
    for side, amount in re.findall(r"(Dr|Cr) \d{4} ([\d.]+\d)", text):
        sides[side] += Decimal(amount)
    assert sides["Dr"] == sides["Cr"] > 0


def test_the_list_is_not_empty():
    assert len(set(TESTS)) > 30 and len(set(FUNCTIONS)) > 25 and len(JOURNALS) > 20
