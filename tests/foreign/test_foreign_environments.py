"""Environments that are missing, or that do not exist."""

import subprocess
import sys

import foreign_environments
import pytest
from foreign_environments import ROOT, folder_of


@pytest.fixture
def nothing_made(tmp_path, monkeypatch):
    monkeypatch.setattr(foreign_environments, "ROOT", tmp_path)


@pytest.mark.usefixtures("nothing_made")
def test_missing_environment_skips_the_test(monkeypatch):
    """The reason says what to call."""
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"make it with  python3 tools/make_foreign\.py openai_agents"):
        folder_of("openai_agents")


@pytest.mark.usefixtures("nothing_made")
def test_missing_environment_fails_the_test_in_ci(monkeypatch):
    """In CI nothing that is usual may be left out; what is large may."""
    monkeypatch.setenv("CI", "1")
    with pytest.raises(pytest.fail.Exception):
        folder_of("openai_agents")
    with pytest.raises(pytest.skip.Exception):
        folder_of("livekit")


def test_unknown_environment():
    """A name that is none is one sentence with those that are."""
    asked = [sys.executable, ROOT / "tools" / "make_foreign.py", "nonsense"]
    done = subprocess.run(asked, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("There is no environment nonsense: choose from openai_agents, ")
