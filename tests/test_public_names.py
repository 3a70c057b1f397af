"""The public face: every name is there, imports without any extra, and drags in nothing heavy."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import openai_realtime_api_utils as package
from openai_realtime_api_utils import simulator

EXTRAS = [
    "numpy",
    "samplerate",
    "webrtcvad",
    "pocketsphinx",
    "espeakng_loader",
    "typer",
    "rich",
    "dotenv",
    "sounddevice",
    "mcp",
    "picows",
]

BLOCK = f"""
import importlib.abc, sys

class Block(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {EXTRAS!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name.partition(".")[0])

sys.meta_path.insert(0, Block())
"""


def without_extras(program):
    """Run a program in a Python that has only what the core install has; return what it prints."""
    done = subprocess.run([sys.executable, "-c", BLOCK + program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def type_checked_names(module):
    """Return the names that a facade imports for the type checker."""
    tree = ast.parse(Path(module.__file__).read_text())
    (block,) = [n for n in tree.body if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING"]
    return {alias.asname or alias.name for node in block.body for alias in node.names}


@pytest.mark.parametrize("module", [package, simulator, package.middlewares], ids=lambda m: m.__name__)
def test_every_public_name_is_there(module):
    """What a facade names can be had, for programs and for the type checker alike."""
    assert {name for name in module.__all__ if getattr(module, name, None) is None} == set()
    assert set(module.__all__) == type_checked_names(module)
    assert set(module.__all__) <= set(dir(module))


def test_an_unknown_name_is_an_attribute_error():
    """A slip is told like any other."""
    with pytest.raises(AttributeError, match="no attribute 'TrackConversatoin'"):
        package.TrackConversatoin  # noqa: B018


def test_all_names_import_without_extras():
    """Nothing optional is needed to import a name, of the package, its middlewares or its simulator."""
    without_extras("""
import openai_realtime_api_utils as p
for module in (p, p.middlewares, p.simulator):
    for name in module.__all__:
        getattr(module, name)
from openai_realtime_api_utils import *
""")


@pytest.mark.parametrize(
    ("build", "extra"),
    [
        ("p.WavMicrophone('x.wav')", "audio"),
        ("p.WavSpeaker('x.wav')", "audio"),
        ("p.MemorySpeaker(p.ManualClock())", "audio"),
        ("p.MemoryMicrophone(p.ManualClock())", "audio"),
        ("p.AudioPlayer(None)", "audio"),
        ("p.StreamMic(None)", "audio"),
        ("p.fast_connect(None)", "fast"),
        ("p.simulator.ScriptedEngine()", "local"),
        ("asyncio.run(served())", "local"),
        ("asyncio.run(connected())", "local"),
    ],
)
def test_a_missing_extra_is_told_where_the_thing_is_built(build, extra):
    """One sentence, with the command that installs it."""
    told = without_extras(f"""
import asyncio
import openai_realtime_api_utils as p

async def served():
    async with p.simulator.serve(lambda: None): pass

async def connected():
    async with p.simulator.connect(None): pass

try:
    {build}
except p.MissingExtraError as error:
    print(error)
""")
    assert f'pip install "openai-realtime-api-utils[{extra}]"' in told
    assert len(told.strip().splitlines()) == 1


def test_the_command_without_its_extra_says_so():
    """The console script is installed with the core; without the extra it explains itself."""
    program = "import sys; sys.argv = ['realtime']\nfrom openai_realtime_api_utils.cli import main\nmain()"
    done = subprocess.run([sys.executable, "-c", BLOCK + program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "realtime: The realtime command needs the package 'typer', which is not installed: "
        'run  pip install "openai-realtime-api-utils[cli]"'
    )


def test_importing_the_package_drags_in_nothing_heavy():
    """The bare import loads neither the SDK nor numpy nor asyncio; a program pays for what it uses."""
    loaded = json.loads(
        without_extras("import openai_realtime_api_utils, json\nprint(json.dumps(sorted(sys.modules)))")
    )
    heavy = {"openai", "pydantic", "numpy", "asyncio", "websockets", "typer", "rich"}
    assert heavy & {name.partition(".")[0] for name in loaded} == set()


def test_the_core_names_load_no_numpy():
    """Hooks and the middlewares that touch no sound run without numpy even where it is installed."""
    program = """
import sys, json
from openai_realtime_api_utils import GiveClientEventId, PrintEvents, TrackConfig, TrackConversation, hook_middlewares
print(json.dumps(sorted(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert "numpy" not in json.loads(done.stdout)
