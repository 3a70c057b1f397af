"""Which sound belongs to a pressed key."""

import pytest

from openai_realtime_api_utils.state.talk_key import TalkKey


@pytest.mark.parametrize(("samples", "expected"), [(0, "clear"), (99, "clear"), (100, "commit"), (500, "commit")])
def test_too_little_is_no_turn(samples, expected):
    """It is cleared instead of committed."""
    key = TalkKey(shortest_turn=100)
    key.press()
    key.hear(samples)
    key.release(1.0)
    assert (expected, None) == (key.end(), key.end())


def test_sound_still_belongs_to_the_turn_until_it_has_ended():
    """What was said before the release may come after it."""
    key = TalkKey(shortest_turn=1)
    states = [key.is_listening]
    key.press()
    states.append(key.is_listening)
    key.release(2.5)
    states.append(key.is_listening)
    released_at = key.released_at
    key.end()
    assert ([False, True, True], False, 2.5) == (states, key.is_listening, released_at)


def test_a_pressed_key_has_no_end():
    """Nor has one that was never pressed."""
    key = TalkKey(shortest_turn=1)
    key.release(0.0)
    before = key.end()
    key.press()
    assert (None, None) == (before, key.end())
