"""Have a sound card: PulseAudio with null sinks. Without it these tests are skipped, but in CI they fail."""

import os

import pytest

from benchmarks.sound_card import missing, sound_card


@pytest.fixture(scope="module")
def card():
    reason = missing()
    if reason is not None:
        if os.environ.get("CI"):
            pytest.fail(f"These tests must run in CI: {reason}")
        pytest.skip(reason)
    with sound_card() as running:
        yield running


@pytest.fixture
def own_card():
    """Be a sound card for a test that breaks it."""
    reason = missing()
    if reason is not None:
        if os.environ.get("CI"):
            pytest.fail(f"These tests must run in CI: {reason}")
        pytest.skip(reason)
    with sound_card() as running:
        yield running
