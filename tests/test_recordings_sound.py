"""The sound of recorded sessions plays to its last sample, whatever else the recordings hold."""

import asyncio
import base64
import json
from collections import Counter

import pytest

from openai_realtime_api_utils.clock import ManualClock
from openai_realtime_api_utils.events import decode
from openai_realtime_api_utils.host.memory import MemorySpeaker
from openai_realtime_api_utils.middlewares import TrackConfig, TrackConversation, interruptable_audio_player
from speaking import FakeSend
from test_recordings import NONE, RECORDINGS


def stated_samples(events):
    """Return how many samples of speech the server sent for each item."""
    sent = Counter()
    for event in events:
        if event["type"] == "response.output_audio.delta":
            sent[event["item_id"]] += len(base64.b64decode(event["delta"]))
    return +Counter({item_id: n_bytes // 2 for item_id, n_bytes in sent.items()})


def is_spoken_into(events):
    """Tell whether the user spoke after the assistant had begun to: then some of it may rightly be cut."""
    types = [event["type"] for event in events]
    first = types.index("response.output_audio.delta") if "response.output_audio.delta" in types else len(types)
    return "input_audio_buffer.speech_started" in types[first:]


async def played(events):
    """Return how many samples of each item were heard, and what was sent on account of interruptions."""
    clock, send, config, conversation = ManualClock(), FakeSend(), TrackConfig(), TrackConversation()
    with interruptable_audio_player(config, conversation, MemorySpeaker(clock), clock=clock) as iap:
        iap.register_send_with_handlers(send)
        for event in events:
            decoded, metadata = decode(json.dumps(event)), {}
            for handle in (config.server_event_handler, conversation.server_event_handler, *iap.server_handlers):
                decoded, metadata = handle(decoded, metadata, None)
            clock.advance(0.5)
        await asyncio.sleep(0)
        await send.close()
        speeches = iap.audio_player.speech_ids
        heard = Counter({s.item_id: iap.audio_player._speeches.get(s).playhead.heard for s in speeches})
    return +heard, send.sent


@pytest.mark.parametrize("name", RECORDINGS or [NONE])
async def test_recorded_speech_sounds_to_its_end(name):
    """Nothing raises, nothing is heard that was not sent; and where the user never spoke into it, nothing is lost."""
    received = [event for is_servers, event in RECORDINGS[name] if is_servers]
    heard, sent = await played(received)
    stated = stated_samples(received)
    assert heard <= stated
    if not is_spoken_into(received):
        assert (stated, []) == (heard, sent)
