"""The simulator's public names, and what importing it does not need."""

import subprocess
import sys

import pytest

from openai_realtime_api_utils import simulator


def test_every_name_is_there():
    """All names load, and ``dir`` lists them."""
    assert dir(simulator) == sorted(simulator.__all__)
    assert all(getattr(simulator, name) is not None for name in simulator.__all__)


def test_unknown_name():
    """An unknown name is an ``AttributeError`` like any module's."""
    with pytest.raises(AttributeError, match="no attribute 'Simulation'"):
        _ = simulator.Simulation


def test_import_needs_nothing_optional():
    """Importing the package loads neither numpy nor the detector."""
    code = (
        "import sys, openai_realtime_api_utils.simulator as s; s.Say; s.Settings;"
        "print({'numpy', 'webrtcvad', 'samplerate'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
