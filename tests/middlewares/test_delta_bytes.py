"""The sound of a delta is decoded once, whoever needs it."""

import pytest

from made_events import made
from openai_realtime_api_utils.middlewares.delta_bytes import delta_bytes


def test_handlers_of_one_event_share_the_bytes():
    """The second handler gets the very object that the first one got."""
    event, metadata = made("response.output_audio.delta", item_id="i", delta="AAEC"), {}
    first = delta_bytes(event, metadata)
    assert first == b"\x00\x01\x02"
    assert delta_bytes(event, metadata) is first


def test_an_absent_delta_is_no_sound():
    """A malformed event has no sound, and raises nothing."""
    assert delta_bytes(made("response.output_audio.delta", item_id="i"), {}) == b""


@pytest.mark.parametrize("delta", ["AAE", "A A=", "äöü=", 'AA"='])
def test_what_is_not_base64_is_told(delta):
    """Both who play and who keep are told, and nothing is remembered."""
    metadata = {}
    with pytest.raises(ValueError, match=r".*"):
        delta_bytes(made("response.output_audio.delta", item_id="i", delta=delta), metadata)
    assert metadata == {}
