"""Read YAML so that whatever is wrong with it can be told with its file and line."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from ..errors import SimulatorError, require


@dataclass(frozen=True)
class Place:
    """Be a value in a file, and know where it stands."""

    file: str
    _node: Any
    _yaml: Any

    def wrong(self, sentence: str) -> NoReturn:
        """Tell what is wrong here.

        Raises:
            SimulatorError: always.
        """
        raise SimulatorError(f"{self.file}, line {self._node.start_mark.line + 1}: {sentence}")

    @property
    def is_text(self) -> bool:
        return isinstance(self.value, str)

    @property
    def is_list(self) -> bool:
        return isinstance(self._node, self._yaml.SequenceNode)

    @property
    def value(self) -> Any:
        """The whole value, as Python has it."""
        loader = self._yaml.SafeLoader("")
        try:
            return loader.construct_document(self._node)
        except (self._yaml.YAMLError, ValueError) as error:  # ValueError: a date that is none
            self.wrong(f"this cannot be read ({_problem(error)}).")

    def items(self) -> list[Place]:
        """Return the values of a list."""
        if not self.is_list:
            self.wrong(f"a list is needed here, but this is {self.value!r}: begin each entry with '- '.")
        return [self._at(node) for node in self._node.value]

    def fields(self, known: Collection[str] | None = None) -> dict[str, Place]:
        """Return the values of a mapping by their names, none of which is unknown or used twice."""
        if not isinstance(self._node, self._yaml.MappingNode):
            self.wrong(f"'name: value' is needed here, but this is {self.value!r}.")
        fields: dict[str, Place] = {}
        for key, value in self._node.value:
            name = str(key.value)
            if known is not None and name not in known:
                self._at(key).wrong(f"{name!r} is not known here: use one of {', '.join(known)}.")
            if name in fields:
                self._at(key).wrong(f"{name!r} is here for the second time: drop one of the two.")
            fields[name] = self._at(value)
        return fields

    def text(self) -> str:
        """Return a text."""
        value = self.value
        if not isinstance(value, str):
            self.wrong(f"a text is needed here, but this is {value!r}: put it in quotes if it is meant as text.")
        return value

    def seconds(self) -> float:
        """Return a number of seconds."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
            self.wrong(f"a number of seconds from 0 is needed here, but this is {value!r}.")
        return value

    def _at(self, node: Any) -> Place:
        return Place(self.file, node, self._yaml)


def read_yaml(path: Path) -> Place:
    """Read a file.

    Raises:
        SimulatorError: it cannot be read, or is no YAML.
        MissingExtraError: PyYAML is not installed.
    """
    yaml = require("yaml", extra="local", needed_by="A scenario")
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise SimulatorError(f"{path} cannot be read ({error.strerror}): name a scenario's file.") from error
    except UnicodeDecodeError as error:
        raise SimulatorError(f"{path} is not UTF-8 text (byte {error.start}): save it as such.") from error
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        raise SimulatorError(f"{path}{line}: this is no YAML ({_problem(error)}).") from error
    if node is None:
        raise SimulatorError(f"{path} is empty: write a 'dialogue' into it.")
    return Place(str(path), node, yaml)


def _problem(error: Exception) -> str:
    return str(getattr(error, "problem", None) or error).partition("\n")[0]
