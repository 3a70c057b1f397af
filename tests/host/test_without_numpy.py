"""Sound needs numpy, but nothing else does: names import without it, and say what is missing when they are used."""

import subprocess
import sys

BLOCK = """
import sys
for name in ("numpy", "samplerate"):
    sys.modules[name] = None
import openai_realtime_api_utils as rt
from openai_realtime_api_utils.middlewares import *
from openai_realtime_api_utils import (AudioPlayer, Interrupt, interruptable_audio_player, StreamMic, MemoryMicrophone,
    MemorySpeaker, WavMicrophone, WavSpeaker, ManualClock, Room, cancel_echo, half_duplex, host_audio)
"""

BUILDS = {
    "AudioPlayer": "AudioPlayer(None)",
    "StreamMic": "StreamMic(None)",
    "MemoryMicrophone": "MemoryMicrophone(ManualClock())",
    "MemorySpeaker": "MemorySpeaker(ManualClock())",
    "Room": "Room(ManualClock())",
    "cancel_echo": "cancel_echo(None, None, None)",
    "half_duplex": "half_duplex(None, None)",
    "host_audio": "host_audio().__enter__()",
    "WavMicrophone": "WavMicrophone('a.wav')",
    "WavSpeaker": "WavSpeaker('a.wav')",
}


def run(code, folder):
    done = subprocess.run([sys.executable, "-c", BLOCK + code], capture_output=True, text=True, cwd=folder, check=False)
    assert (0, "") == (done.returncode, done.stderr)
    return done.stdout.splitlines()


def test_all_names_import_and_each_says_what_it_lacks(tmp_path):
    """One sentence each, with the name of what was being built and the command that mends it."""
    tries = "".join(
        f"try:\n    {build}\nexcept rt.MissingExtraError as e:\n    print(e)\n" for build in BUILDS.values()
    )
    mend = 'is not installed: run  pip install "openai-realtime-api-utils[audio]"'
    assert [f"{name} needs the package 'numpy', which {mend}" for name in BUILDS] == run(tries, tmp_path)
    assert [] == list(tmp_path.iterdir())
