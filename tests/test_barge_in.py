"""A spoken program on WAV files and a manual clock: the user interrupts, and both ends agree on what was heard."""

import logging
from itertools import pairwise

import numpy as np
import pytest

from openai_realtime_api_utils.clock import ManualClock
from openai_realtime_api_utils.hooked_session import hook_middlewares
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.host.wav import WavMicrophone, WavSpeaker
from openai_realtime_api_utils.host.wav_reader import read_wav
from openai_realtime_api_utils.host.wav_writer import WavWriter
from openai_realtime_api_utils.middlewares import (
    GiveClientEventId,
    StreamMic,
    TrackConfig,
    TrackConversation,
    interruptable_audio_player,
)
from openai_realtime_api_utils.simulator import ScriptedEngine, connect
from simulated import LoudVad, loud, quiet

STORY = "Once upon a time there was a very long story that went on and on until somebody had enough of it. " * 8
PCM, PCMU = {"type": "audio/pcm", "rate": 24_000}, {"type": "audio/pcmu"}


class Watch:
    """Keep the server's events but for the sound."""

    def __init__(self):
        self.events = []

    def server_event_handler(self, event, metadata, _connection):
        if not event.type.endswith(".delta"):
            self.events.append(event)
        return event, metadata

    def of(self, event_type):
        return [event for event in self.events if event.type == event_type]


async def converse(clock, question, answer, session, **options):
    """Ask for a story by text, interrupt it by voice, and hear the answer to that."""
    watch, config, conversation, cuts = Watch(), TrackConfig(), TrackConversation(), []
    engine = ScriptedEngine(replies=[STORY, "All right."], hears=["stop"])
    with (
        WavSpeaker(answer, clock=clock) as speaker,
        interruptable_audio_player(
            config, conversation, speaker, on_interrupt_handlers=[cuts.extend], clock=clock, **options
        ) as iap,
        StreamMic(WavMicrophone(question, clock=clock), clock=clock) as mic,
    ):
        async with connect(engine, clock=clock, vad=LoudVad) as connection:
            middlewares = [GiveClientEventId(), config, conversation, iap, mic, watch]
            async with hook_middlewares(connection, middlewares, clock=clock) as hooked:
                await hooked.send({"type": "session.update", "session": session})
                await hooked.send({"type": "response.create"})
                await clock.sleep_until(clock.now() + 12)
                await connection.close()
                await hooked.closed
        heard = {item.id: iap.audio_player.heard(item.id) for item in conversation.items if item.role == "assistant"}
    return watch, conversation, cuts, heard


@pytest.mark.parametrize("output_format", [PCM, PCMU], ids=["pcm", "pcmu"])
@pytest.mark.parametrize("interrupt_response", [True, False])
def test_both_ends_agree_on_what_was_heard(tmp_path, caplog, output_format, interrupt_response):
    """The server cancels or is told to; one truncation, at the sample that sounded last; no error, and the answer."""
    question, answer = tmp_path / "question.wav", tmp_path / "answer.wav"
    with WavWriter(question, 24_000) as writer:
        writer.write(np.concatenate((quiet(3), loud(0.6), quiet(0.1))))
    detection = {"type": "server_vad", "interrupt_response": interrupt_response, "create_response": True}
    session = {
        "type": "realtime",
        "audio": {"input": {"turn_detection": detection}, "output": {"format": output_format}},
    }
    clock = ManualClock()
    with caplog.at_level(logging.WARNING):
        watch, conversation, cuts, heard = fast_forward.run(converse(clock, question, answer, session), clock)
    (cut,) = cuts
    (truncated,) = watch.of("conversation.item.truncated")
    story, said = (item for item in conversation.items if item.role == "assistant")
    assert [] == [record.getMessage() for record in caplog.records]
    assert ["cancelled", "completed"] == [event.response.status for event in watch.of("response.done")]
    assert (cut.speech_id.item_id, cut.heard_ms) == (truncated.item_id, truncated.audio_end_ms)
    assert 0 < cut.heard_ms < cut.received_ms
    assert "Once upon a time" == story.heard_text[:16]
    assert len(story.heard_text) < len(STORY)
    assert ("All right.", True) == (said.text, heard[said.id] > 0)
    # What is in the file: the story as far as it was heard and 5 ms of fade, a pause, the answer.
    sounding = np.flatnonzero(np.abs(read_wav(answer).astype(int)) > 0)
    pause = next(int(a) for a, b in pairwise(sounding) if b - a > 24_000 * 0.5)
    assert cut.heard_ms == pytest.approx(pause / 24 - 5, abs=3)
