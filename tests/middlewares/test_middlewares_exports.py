"""The names of the middlewares are there, and cost nothing until they are used."""

import subprocess
import sys

import pytest

from openai_realtime_api_utils import middlewares


@pytest.mark.parametrize("name", middlewares.__all__)
def test_every_name_is_there(name):
    """What is promised can be imported, and is listed."""
    assert getattr(middlewares, name) is not None
    assert name in dir(middlewares)


def test_an_unknown_name_is_refused():
    """As on any module."""
    with pytest.raises(AttributeError, match="has no attribute 'TrackWeather'"):
        _ = middlewares.TrackWeather


def test_every_name_is_promised():
    """The table of modules and the list of names agree."""
    assert sorted(middlewares.__all__) == sorted(middlewares._MODULES)


def test_no_extra_is_needed():
    """All names import where numpy and the other optional packages are missing."""
    program = """
import sys
for missing in ("numpy", "samplerate", "webrtcvad", "pocketsphinx", "espeakng_loader", "typer", "rich", "sounddevice"):
    sys.modules[missing] = None
from openai_realtime_api_utils.middlewares import *
TrackConfig(), TrackConversation(keep_audio_s=1), PrintEvents(), GiveClientEventId()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (0, "") == (done.returncode, done.stderr)
