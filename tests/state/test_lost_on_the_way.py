"""What the state makes of events that never came, or came late."""

import base64

import numpy as np
import pytest

from made_events import added, made, message, response
from openai_realtime_api_utils.state.conversation import Conversation, apply
from openai_realtime_api_utils.state.items import Item
from openai_realtime_api_utils.state.microphone_gap import UserAudio
from openai_realtime_api_utils.state.response_request import ResponseRequest
from openai_realtime_api_utils.state.restore import UNTRANSCRIBED, fitting, restored


def test_a_response_whose_end_was_lost_is_over_when_the_next_one_begins():
    """A conversation has one at a time; its item is incomplete, unless it was told to be complete."""
    conversation = Conversation()
    for event in (
        made("response.created", response=response("resp_1")),
        made("response.output_item.added", response_id="resp_1", item=message("a", "assistant", status="in_progress")),
        added(message("a", "assistant", status="in_progress")),
        made("response.created", response=response("resp_apart", conversation_id=None)),
        made("response.created", response=response("resp_2")),
    ):
        apply(conversation, event)
    assert {"resp_apart", "resp_2"} == conversation.open_responses.keys()
    assert "incomplete" == conversation.item("a").status
    apply(conversation, made("response.done", response=response("resp_1", "completed")))
    assert {"resp_apart", "resp_2"} == conversation.open_responses.keys()


def test_a_response_whose_end_was_lost_holds_up_no_request():
    """The next one's end lets the model go on."""
    request = ResponseRequest("x")
    request.created("resp_1")
    request.created("resp_2")
    request.want()
    assert request.take() is None
    request.done("resp_2")
    assert "response.create" == request.take()["type"]


def sound(seconds, level):
    return base64.b64encode(np.full(round(seconds * 24_000), level, "<i2").tobytes()).decode()


def test_a_turn_is_kept_until_its_commit_comes():
    """On a slow line that is long after its end; what was said is not given up for the silence between."""
    audio = UserAudio()
    audio.append(sound(0.5, 0), detects_turns=True)
    audio.started()
    audio.append(sound(1, 8_000), detects_turns=True)
    audio.stopped()
    for _ in range(20):
        audio.append(sound(0.1, 0), detects_turns=True)
    audio.committed("item_1")
    kept = np.frombuffer(base64.b64decode(audio.untranscribed["item_1"]), "<i2")
    assert 24_000 == np.count_nonzero(kept)
    for _ in range(50):
        audio.append(sound(0.1, 0), detects_turns=True)
    assert len(audio.take_unfinished()) <= 1.1 * 48_000


def test_the_beginning_of_a_transcript_is_not_taken_for_the_whole():
    """Whoever reads it is told that the rest is not known."""
    conversation = Conversation()
    apply(conversation, added(message("a")))
    apply(
        conversation,
        made("conversation.item.input_audio_transcription.delta", item_id="a", content_index=0, delta="What"),
    )
    (one,) = restored(conversation.items)
    assert [{"type": "input_text", "text": f"What {UNTRANSCRIBED}"}] == one.param["content"]


@pytest.mark.parametrize("wrong", [True, 7, ["a"], {"b": 1}])
def test_an_output_that_is_no_text_is_counted_all_the_same(wrong):
    """A server may send anything."""
    item = Item("a")
    item.take({"id": "a", "type": "mcp_call", "name": "f", "server_label": "s", "output": wrong}, is_final=True)
    assert 0 == fitting(restored([item]), 1_000)
