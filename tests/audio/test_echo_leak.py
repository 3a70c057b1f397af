"""Echo that came through a canceller, and voices, by how much softer they are than what the microphone heard."""

import numpy as np
import pytest

from openai_realtime_api_utils.audio.echo_leak import EchoLeak

FRAME = 240


def at(dbfs):
    return np.full(FRAME, 32_768 * 10 ** (dbfs / 20)).astype(np.int16)


def judged(frames, *, is_adapting=False):
    """Return what is thought after frames of (near, far, clean) in dBFS."""
    leak = EchoLeak()
    for near, far, clean in frames:
        leak.hear(at(near), at(far), at(clean), is_adapting=is_adapting)
    return leak.may_be_voice


@pytest.mark.parametrize(
    ("softer_db", "is_adapting", "may_be_voice"),
    [(6, False, True), (15, False, True), (21, False, False), (60, False, False), (6, True, True), (15, True, False)],
)
def test_while_the_far_end_sounds_a_voice_is_nearly_as_loud_as_the_microphone(softer_db, is_adapting, may_be_voice):
    """What is much softer than what the microphone heard is left of the echo; sooner while the canceller adapts."""
    frames = [(-20, -22, -20 - softer_db)] * 30
    assert may_be_voice == judged(frames, is_adapting=is_adapting)


def test_the_last_of_the_echo_is_no_voice():
    """The canceller's output goes on when the microphone is quiet already."""
    assert not judged([(-20, -22, -50)] * 30 + [(-70, -90, -55)] * 10)


def test_when_the_far_end_is_silent_anything_may_be_a_voice():
    """A third of a second after, when the room is silent too."""
    assert judged([(-20, -22, -50)] * 30 + [(-58, -90, -58)] * 36)


def test_a_voice_is_one_within_60_ms():
    """Over an echo as loud."""
    assert judged([(-20, -22, -80)] * 30 + [(-17, -22, -27)] * 6)
