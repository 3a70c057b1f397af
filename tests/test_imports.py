"""Importing costs next to nothing beyond the SDK; the set of what is loaded is pinned here."""

import json
import subprocess
import sys

import pytest

SDK = "import openai, openai.types.realtime"
WATCHING = "GiveClientEventId, PrintEvents, TrackConfig, TrackConversation, hook_handlers, hook_middlewares"
PACKAGE = "openai_realtime_api_utils"


def loaded(*statements: str) -> set[str]:
    """Return the modules that the last of some statements loads beyond those before it."""
    *before, last = statements
    program = f"""
import json, sys
{"; ".join(before) or "pass"}
known = set(sys.modules)
{last}
print(json.dumps(sorted(set(sys.modules) - known)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return set(json.loads(done.stdout))


def foreign(modules: set[str]) -> set[str]:
    """Return the packages among some modules that are neither ours nor Python's own."""
    return {name.partition(".")[0] for name in modules} - sys.stdlib_module_names - {PACKAGE}


def test_the_package_loads_itself_only():
    """Behind the SDK, the import loads one module: a name's module comes when the name is asked for."""
    assert loaded(SDK, f"import {PACKAGE}") == {PACKAGE}


def test_hooks_and_watchers_load_only_base64():
    """What every program uses brings one small package beyond the SDK's own."""
    assert foreign(loaded(SDK, f"from {PACKAGE} import {WATCHING}")) == {"pybase64"}


@pytest.mark.parametrize("name", ["AudioPlayer", "Interrupt", "StreamMic", "interruptable_audio_player"])
def test_sound_is_loaded_where_a_thing_is_built(name):
    """The names of the middlewares that touch sound load no numpy."""
    assert foreign(loaded(SDK, f"from {PACKAGE} import {name}")) <= {"pybase64"}


def test_the_fast_connection_loads_picows_when_it_connects():
    """Its name can be had without the extra, and loads nothing but what the SDK's own connection needs."""
    assert foreign(loaded(SDK, f"from {PACKAGE} import fast_connect")) <= {"websockets", "python_socks"}
