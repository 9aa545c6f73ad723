"""The picture in ARCHITECTURE.md, held against the code: imports go one way, pure modules stay pure."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Each room may import itself and what stands to its left.
ORDER = ("base", "http", "chargebee", "ledger", "qad", "tenants", "mappings", "syncs", "urls")
BASE = {"connector.errors", "connector.money", "connector.periods", "connector.slots", "connector.processes"}
PURE = (
    *("connector.errors", "connector.money", "connector.periods", "connector.slots"),
    *("connector.http.retry", "connector.http.redact", "connector.http.exchange", "connector.http.pacing"),
    *("connector.chargebee.site", "connector.chargebee.failures", "connector.chargebee.records"),
    "connector.chargebee.webhook",
    *("connector.chargebee.parse", "connector.ledger", "connector.qad.profile", "connector.qad.presets"),
    *("connector.qad.payloads", "connector.qad.replies"),
)
IMPURE = {"django", "requests", "urllib3", "socket", "time", "threading", "random"}


def modules() -> Iterator[tuple[str, Path, ast.Module]]:
    for top in ("connector", "tenants", "mappings", "syncs"):
        for path in sorted((ROOT / top).rglob("*.py")):
            if "migrations" not in path.parts:
                name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
                yield name, path, ast.parse(path.read_text(encoding="utf-8"))


MODULES = list(modules())


def imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(name: str) -> str:
    parts = name.split(".")
    if parts[0] != "connector":
        return parts[0]
    if len(parts) > 1 and parts[1] in ("http", "chargebee", "ledger", "qad", "sandbox", "urls"):
        return parts[1]
    return "base" if name in BASE or name.rpartition(".")[0] in BASE else "project"


def is_ours(name: str) -> bool:
    return name.split(".", maxsplit=1)[0] in ("connector", "tenants", "mappings", "syncs")


@pytest.mark.slow
def test_imports_go_one_way():
    wrong = []
    for name, _, tree in MODULES:
        here = room(name)
        if here not in ORDER:
            continue
        for target in filter(is_ours, imports(tree)):
            there = room(target)
            if there in ORDER and ORDER.index(there) > ORDER.index(here):
                wrong.append(f"{name} imports {target}")
    assert not wrong


def test_the_ledger_sees_only_the_records_of_chargebee():
    seen = {
        target
        for name, _, tree in MODULES
        if room(name) == "ledger"
        for target in imports(tree)
        if target.startswith("connector.chargebee.")
    }
    assert all(target.startswith("connector.chargebee.records") for target in seen)


def test_qad_never_sees_chargebee():
    wrong = [name for name, _, tree in MODULES if room(name) == "qad" for t in imports(tree) if "chargebee" in t]
    assert not wrong


@pytest.mark.slow
def test_the_sandbox_and_the_product_do_not_know_each_other():
    wrong = []
    for name, _, tree in MODULES:
        for target in filter(is_ours, imports(tree)):
            if (room(name) == "sandbox") != (room(target) == "sandbox") and target != "connector":
                wrong.append(f"{name} imports {target}")
    assert not wrong


def test_only_the_addresses_and_settings_name_the_last_app():
    allowed = {"syncs", "urls", "project"}
    wrong = [
        name for name, _, tree in MODULES if room(name) not in allowed for t in imports(tree) if room(t) == "syncs"
    ]
    assert not wrong


@pytest.mark.parametrize("pure", PURE)
def test_a_pure_module_has_no_framework_network_or_clock(pure):
    checked = 0
    for name, _, tree in MODULES:
        if name == pure or name.startswith(f"{pure}."):
            checked += 1
            found = {target.split(".")[0] for target in imports(tree)} & IMPURE
            assert not found - {"random"}, f"{name} imports {found}"
    assert checked


def test_no_module_imports_inside_a_function():
    wrong = [
        f"{name}:{node.name}"
        for name, _, tree in MODULES
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if any(isinstance(inner, ast.Import | ast.ImportFrom) for inner in ast.walk(node))
    ]
    assert not wrong


@pytest.mark.slow
def test_no_signals_and_no_logic_in_save():
    wrong = []
    for name, _, tree in MODULES:
        if any(
            target.startswith("django.db.models.signals") or target == "django.dispatch" for target in imports(tree)
        ):
            wrong.append(f"{name} uses signals")
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and name.split(".")[1:2] == ["models"]:
                wrong += [f"{name}.{node.name}.save" for m in node.body if getattr(m, "name", "") == "save"]
    assert not wrong


@pytest.mark.slow
def test_files_and_functions_stay_small():
    wrong = []
    for name, path, tree in MODULES:
        lines = [line for line in path.read_text().split("\n") if line.strip() and not line.strip().startswith("#")]
        if len(lines) > 350:
            wrong.append(f"{name}: {len(lines)} lines")
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno + 1 > 60:
                wrong.append(f"{name}.{node.name}: {(node.end_lineno or 0) - node.lineno + 1} lines")
    assert not wrong


def test_every_module_says_what_it_is_for():
    assert not [name for name, path, tree in MODULES if path.read_text().strip() and not ast.get_docstring(tree)]
