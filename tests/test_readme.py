from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_the_table_of_commands_names_every_command_that_there_is():
    folders = ROOT.glob("*/management/commands/*.py")
    there_are = {path.stem for path in folders if path.stem not in ("__init__", "migrate")}

    told = set(re.findall(r"^\| `(\w+)", (ROOT / "README.md").read_text(), re.MULTILINE))

    assert told == there_are
