"""JSON on many lines for reading, with every digit as it came."""

from __future__ import annotations

from itertools import chain

_OPEN, _CLOSE = "{[", "}]"


def indented(text: str) -> str:
    """The same tokens with line breaks and two spaces a level; text that is no JSON comes back as it is."""
    stripped = text.strip()
    if not stripped or stripped[0] not in _OPEN or stripped[-1] not in _CLOSE:
        return text
    out: list[str] = []
    depth, is_text, is_escaped = 0, False, False
    for char, after in zip(stripped, chain(stripped[1:], [""]), strict=True):
        if is_text:
            out.append(char)
            is_text, is_escaped = not (char == '"' and not is_escaped), char == "\\" and not is_escaped
        elif char in _OPEN:
            depth += 1
            out.append(char if after in _CLOSE else char + _break(depth))
        elif char in _CLOSE:
            depth -= 1
            out.append(char if out and out[-1] in ("{", "[") else _break(depth) + char)
        elif char == ",":
            out.append(char + _break(depth))
        elif char == ":":
            out.append(": ")
        elif not char.isspace():
            out.append(char)
            is_text = char == '"'
    return "".join(out)


def _break(depth: int) -> str:
    return "\n" + "  " * max(0, depth)
