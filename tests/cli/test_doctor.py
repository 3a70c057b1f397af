"""``realtime doctor`` and ``realtime devices``: what they say of what they find, and of nothing at all."""

import json
from dataclasses import replace

import pytest
from commands import run_realtime

from openai_realtime_api_utils.cli.doctor import Findings, advise, describe

FINE = Findings(
    microphone="Mic",
    loudspeaker="Box",
    rate=48_000,
    noise_dbfs=-62.0,
    round_trip_ms=90.0,
    echo_db=-12.0,
    cancelled_db=45.0,
    underruns=0,
    overruns=0,
)


def test_what_was_found_is_one_line_each():
    """Values come with their units, and what was not found says so."""
    lines = describe(replace(FINE, round_trip_ms=None))
    assert lines[1] == "loudspeaker        Box, at 48000 Hz"
    assert lines[3] == "round trip         not found"
    assert lines[5] == "echo cancelled by  45 dB"


def test_nothing_is_advised_where_all_is_well():
    """Good devices need no advice."""
    assert advise(FINE) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"echo_db": None, "cancelled_db": None}, "--no-echo-cancellation"),
        ({"cancelled_db": 8.0}, "use headphones"),
        ({"echo_db": 9.0}, "very loud"),
        ({"round_trip_ms": 400.0}, "wireless"),
        ({"noise_dbfs": -30.0}, "noisy"),
        ({"underruns": 3}, "close other programs"),
    ],
)
def test_each_trouble_has_its_advice(changed, said):
    """One sentence for each thing that could be better, and for nothing else."""
    (advice,) = advise(replace(FINE, **changed))
    assert said in advice


def test_no_devices_are_told(tmp_path):
    """Without devices the list says so, and the doctor cannot work: one sentence."""
    assert json.loads(run_realtime("devices", "--json", cwd=tmp_path).stdout) == []
    assert "There are no sound devices" in run_realtime("devices", cwd=tmp_path).stdout
    done = run_realtime("doctor", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("realtime: There is no ")


@pytest.mark.parametrize("command", ["devices", "doctor"])
@pytest.mark.parametrize("configuration", ["pcm.!default {", None], ids=["torn", "missing"])
def test_a_broken_sound_configuration_is_told(tmp_path, configuration, command):
    """In one sentence, though PortAudio aborts the process that it is loaded into."""
    path = tmp_path / "asound.conf"
    if configuration is not None:
        path.write_text(configuration)
    done = run_realtime(command, cwd=tmp_path, ALSA_CONFIG_PATH=str(path))
    assert 1 == done.returncode
    assert done.stderr.startswith("realtime: PortAudio, which opens sound devices, cannot start (")
    assert 1 == done.stderr.count("\n")
