"""Find the environments that ``tools/make_foreign.py`` makes."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parent / "programs"
LARGE = ("livekit", "pipecat")
"""Environments that nobody is made to have."""


def folder_of(environment: str) -> Path:
    """Return the folder of an environment; skip the test, or fail it in CI, if it was not made."""
    folder = ROOT / ".venv" / "foreign" / environment
    if not runner_in(folder).exists():
        reason = f"{folder.relative_to(ROOT)} is missing: make it with  python3 tools/make_foreign.py {environment}"
        (pytest.fail if os.environ.get("CI") and environment not in LARGE else pytest.skip)(reason)
    return folder


def runner_of(environment: str) -> Path:
    """Return the interpreter of an environment."""
    return runner_in(folder_of(environment))


def runner_in(folder: Path) -> Path:
    """Return where the interpreter of an environment is."""
    return folder / ("node" if folder.name.endswith("_js") else "bin/python")
