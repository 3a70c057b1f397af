"""Have a sound card: PulseAudio with null sinks. Without it these tests are skipped, but in CI they fail."""

import os

import pytest

from benchmarks.sound_card import missing, sound_card


def _must_have():
    """Skip the test where there is no sound server; in CI, fail it."""
    reason = missing()
    if reason is not None:
        if os.environ.get("CI"):
            pytest.fail(f"These tests must run in CI: {reason}")
        pytest.skip(reason)


@pytest.fixture(scope="module")
def card():
    _must_have()
    with sound_card() as running:
        yield running


@pytest.fixture
def own_card():
    """Be a sound card for a test that breaks it."""
    _must_have()
    with sound_card() as running:
        yield running


@pytest.fixture
def headset():
    """Be a sound card whose microphone does not hear the loudspeaker.

    Over a loudspeaker AEC3 takes a steady tone and the words over it for one: in some runs it left the first word of a
    question alone, in others it took 15 dB and more of it, on a new sound server as on one that has had many streams.
    How soon talk over an assistant is heard is measured with voices, not with a tone.
    """
    _must_have()
    with sound_card(echo_ms=None) as running:
        yield running
