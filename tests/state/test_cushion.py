"""How much speech must be there before it sounds."""

import pytest

from openai_realtime_api_utils.state.cushion import AFTER_DRY_MS, Arrivals, Cushion


def came(*pieces):
    arrivals = Arrivals()
    for at, seconds in pieces:
        arrivals.came(at, seconds)
    return arrivals


def test_a_smooth_network_needs_the_least():
    """What comes faster than it sounds is never late."""
    cushion = Cushion(60)
    cushion.learn(came((0.0, 0.1), (0.05, 0.1), (0.1, 0.1)))
    assert 60 == cushion.start_ms


def test_late_speech_makes_the_next_wait():
    """By as much as this one would have had to, but no longer than 600 ms."""
    cushion = Cushion(60)
    cushion.learn(came((0.0, 0.1), (0.25, 0.1)))
    once = cushion.start_ms
    cushion.learn(came((0.0, 0.1), (5.0, 0.1)))
    assert (pytest.approx(150), 600) == (once, cushion.start_ms)


def test_a_network_that_became_smooth_is_forgiven():
    """After four speeches."""
    cushion = Cushion(60)
    cushion.learn(came((0.0, 0.1), (0.4, 0.1)))
    for _ in range(4):
        cushion.learn(came((0.0, 1.0)))
    assert 60 == cushion.start_ms


def test_dry_speech_waits_for_twice_the_longest_gap():
    """And at least 300 ms."""
    assert (AFTER_DRY_MS, 500) == (
        came((0.0, 0.1), (0.1, 0.1)).after_dry_ms,
        pytest.approx(came((0.0, 0.1), (0.25, 0.1), (0.3, 1.0)).after_dry_ms),
    )
