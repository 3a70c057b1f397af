"""Client events get an id, and keep the one they have."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_realtime_api_utils.middlewares import GiveClientEventId


def handled(middleware, event):
    return middleware.client_event_handler(event, {}, None)[0]


def test_an_event_without_an_id_gets_one():
    """All else stays, and the caller's event stays as it was."""
    event = {"type": "response.create"}
    given_ = handled(GiveClientEventId(), event)
    assert ({"type": "response.create"}, "response.create") == (event, given_["type"])
    assert given_["event_id"].startswith("evt_")


def test_an_event_with_an_id_passes_untouched():
    """The very event is returned."""
    event = {"type": "response.create", "event_id": "mine"}
    assert handled(GiveClientEventId(), event) is event


@pytest.mark.parametrize("nothing", [None, ""])
def test_an_empty_id_is_none(nothing):
    """A key without a value is not an id."""
    assert handled(GiveClientEventId(), {"type": "x", "event_id": nothing})["event_id"]


@settings(deadline=None)
@given(st.integers(1, 200))
def test_ids_are_unique_and_short(n):
    """No two events have one id, over two connections; the service is reported to take 32 letters of other ids."""
    one, other = GiveClientEventId(), GiveClientEventId()
    ids = [handled(middleware, {"type": "x"})["event_id"] for middleware in (one, other) for _ in range(n)]
    assert 2 * n == len(set(ids))
    assert max(map(len, ids)) <= 32
