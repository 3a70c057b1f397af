"""A loudspeaker that throws away what it takes: noticed, and said again."""

import numpy as np
import pytest

from fake_devices import Rig
from openai_realtime_api_utils.host.ahead import Ahead
from openai_realtime_api_utils.host.engine import STEP_S
from openai_realtime_api_utils.ports import SpeechId

BLOCK = 160


@pytest.mark.parametrize("after", [0.05, 0.5], ids=["before its time is measured", "in the middle"])
@pytest.mark.parametrize("block_ms", [5, 20 / 3])
def test_what_was_thrown_away_is_said_again(after, block_ms):
    """By a stream that is opened with longer blocks; told once, and no sample is missing."""
    rig = Rig(block_ms=block_ms)
    rig.step_s = STEP_S
    playback = rig.speaker.play(SpeechId("item_1"))
    playback.write(np.arange(1, 24_001, dtype=np.int16))
    playback.finish()
    rig.run(after)
    first = rig.system.output
    for _ in range(20):
        rig.system.output.run_away(80)
        rig.run(0.005)
    rig.run(1.5)
    heard = set(rig.sounded()) | set(np.concatenate(first.sounded))
    assert set(range(24_001)) == heard
    assert 24_000 == playback.heard().samples
    assert [block_ms, 10] == [opening[2] for opening in rig.system.openings]
    assert ["longer blocks" in notice for notice in rig.notices] == [True, False]


def look(ahead, seconds, *, start=100.0, speed=1.0, taken=0):
    """Look at a stream every 20 ms; return the time and what was taken."""
    for n in range(1, round(seconds / 0.02) + 1):
        ahead.see(start + n * 0.02, taken + int(n * 0.02 * speed * 24_000) // BLOCK * BLOCK)
    return start + seconds, taken + int(seconds * speed * 24_000) // BLOCK * BLOCK


def test_a_stream_that_stands_still_and_goes_on_has_not_run_away():
    """It is late from then on, and takes no more than it sounds."""
    ahead = Ahead(24_000, BLOCK, 100.0)
    now, taken = look(ahead, 1.0)
    now, taken = look(ahead, 1.0, start=now, taken=taken, speed=0.0)
    look(ahead, 1.0, start=now, taken=taken)
    assert not ahead.is_running_away


def test_a_clock_that_is_faster_has_not_run_away():
    """By 300 ppm, in ten minutes."""
    ahead = Ahead(24_000, BLOCK, 100.0)
    look(ahead, 600.0, speed=1.0003)
    assert not ahead.is_running_away


def test_two_looks_must_agree():
    """Held up between the clock and the stream, an engine sees one stream too far ahead once."""
    ahead = Ahead(24_000, BLOCK, 100.0)
    now, taken = look(ahead, 1.0)
    ahead.see(now, taken + 50 * BLOCK)
    assert not ahead.is_running_away
    now, taken = look(ahead, 0.1, start=now, taken=taken)
    assert not ahead.is_running_away
    look(ahead, 0.1, start=now, taken=taken + 50 * BLOCK)
    assert ahead.is_running_away
    assert ahead.steady_at == pytest.approx(now)
