"""Read from a docstring what a function does, and what each of its parameters means."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from typing import NamedTuple

_SECTION = re.compile(
    r"^(Args|Arguments|Parameters|Params|Returns?|Raises|Yields?|Examples?|Notes?|Attributes|See Also|Warns)\s*:?\s*$"
)
_OF_PARAMETERS = frozenset({"Args", "Arguments", "Parameters", "Params"})
_GOOGLE = re.compile(r"^\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)$")
_NUMPY = re.compile(r"^\*{0,2}(\w+)\s*(?::.*)?$")
_FIELD = re.compile(r"^:(\w+)(?:\s+(?:[\w\[\], |.]+\s+)?(\w+))?\s*:\s*(.*)$")


class Documented(NamedTuple):
    """Hold what a docstring says to a caller."""

    description: str
    parameters: dict[str, str]
    """Parameter -> what it means."""


def read_docstring(docstring: str | None) -> Documented:
    """Read a docstring in Google's, NumPy's or Sphinx's way; what returns and raises is not a caller's concern."""
    lines = inspect.cleandoc(docstring or "").splitlines()
    told: list[str] = []
    of_parameters: list[str] = []
    fields: dict[str, str] = {}
    into = told
    for line, after in zip(lines, [*lines, ""][1:], strict=True):
        section, field = _SECTION.match(line), _FIELD.match(line)
        if section and (line.rstrip().endswith(":") or set(after.strip()) == {"-"}):
            into = of_parameters if section[1] in _OF_PARAMETERS else []
        elif field:
            into = []
            if field[1] in ("param", "parameter", "arg") and field[2]:
                fields[field[2]] = field[3]
        elif not (set(line.strip()) == {"-"} and into is not told):
            into.append(line)
    return Documented("\n".join(told).strip(), {**_entries(of_parameters), **fields})


def _entries(lines: Iterable[str]) -> dict[str, str]:
    """Read entries that begin at the least indentation, each with what is indented below it."""
    filled = [line for line in lines if line.strip()]
    least = min((_indent(line) for line in filled), default=0)
    entries: dict[str, str] = {}
    name = ""
    for line in filled:
        begun = _GOOGLE.match(line.strip()) if least else _NUMPY.match(line.strip())
        if _indent(line) == least and begun:
            name = begun[1]
            entries[name] = begun[2].strip() if least else ""
        elif name:
            entries[name] = f"{entries[name]} {line.strip()}".strip()
    return entries


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
