"""The user speaks, and the assistant falls silent."""

import asyncio
import logging

import numpy as np
import pytest

from openai_realtime_api_utils.clock import ManualClock
from openai_realtime_api_utils.errors import ConnectionLost, HandlerError
from openai_realtime_api_utils.handlers import HANDLED
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.host.memory import MemorySpeaker
from openai_realtime_api_utils.middlewares import (
    INTERRUPTED,
    AudioPlayer,
    Interrupt,
    TrackConfig,
    TrackConversation,
    interruptable_audio_player,
    interruptible_audio_player,
)
from openai_realtime_api_utils.ports import SpeechId
from openai_realtime_api_utils.state.playhead import Cut
from speaking import (
    FakeSend,
    audio_delta,
    audio_done,
    refusal,
    response_created,
    response_done,
    server,
    session_event,
    speech_started,
    speech_stopped,
    steady,
    words_delta,
)

MANUAL = None
SERVER_VAD = {"type": "server_vad", "create_response": True, "interrupt_response": True}
VAD_WITHOUT_INTERRUPT = {**SERVER_VAD, "interrupt_response": False}


class Stage:
    """Hold a player, its interrupter and all that they need, on a manual clock."""

    def __init__(self, *, turn_detection=SERVER_VAD, on_interrupt=None, **options):
        self.clock = ManualClock()
        self.config, self.conversation = TrackConfig(), TrackConversation()
        self.speaker = MemorySpeaker(self.clock)
        self.player = AudioPlayer(self.speaker, clock=self.clock)
        self.told = []
        self.interrupt = Interrupt(
            self.config,
            self.conversation,
            self.player,
            on_interrupt_handlers=[on_interrupt or self.told.append],
            clock=self.clock,
            **options,
        )
        self.send = FakeSend()
        self.player.register_send_with_handlers(self.send)
        self.interrupt.register_send_with_handlers(self.send)
        self.feed(session_event(turn_detection=turn_detection))

    def feed(self, *events):
        """Run events through the handlers in their order; return the metadata of the last."""
        metadata = {}
        for event in events:
            metadata = {}
            for middleware in (self.config, self.conversation, self.player, self.interrupt):
                event, metadata = middleware.server_event_handler(event, metadata, None)
        return metadata

    async def after(self, seconds):
        """Let time pass, and what it wakes run."""
        await self.clock.sleep_until(self.clock.now() + seconds)

    def run(self, script):
        async def main():
            await script(self)
            await self.after(3)
            await self.send.close()

        fast_forward.run(main(), self.clock)
        return [short(event) for event in self.send.sent]

    def sounding_at(self, seconds):
        """Tell whether something sounded in the 10 ms from a moment on."""
        sounded = self.speaker.sounded()[round(seconds * 24_000) :][:240]
        return bool(np.count_nonzero(sounded))


def short(event):
    """Return an event as (verb, id, milliseconds)."""
    ids = event.get("response_id") or event.get("item_id")
    return (event["type"].rpartition(".")[2], ids, *([event["audio_end_ms"]] if "audio_end_ms" in event else []))


def speaking(response_id="resp_1", item_id="item_1", ms=2_000, **created):
    """Return the events of a response that has sent a lot of speech, and is open."""
    return [
        response_created(response_id, **created),
        words_delta("one two three four ", item_id, response_id),
        audio_delta(steady(ms), item_id, response_id),
    ]


def test_speech_started_silences_at_once_and_truncates_where_it_was_heard():
    """Before the handler returns; the server cancels by itself, so nothing else is sent."""

    async def script(stage):
        stage.feed(*speaking())
        await stage.after(1.0)
        stage.feed(speech_started())
        assert not stage.player.is_speaking
        await stage.after(0.1)

    stage = Stage()
    assert [("truncate", "item_1", 1_000)] == stage.run(script)
    assert (True, False) == (stage.sounding_at(0.98), stage.sounding_at(1.006))
    assert [[Cut(SpeechId("item_1"), 1_000, 2_000, "resp_1")]] == stage.told


def test_the_conversation_learns_which_words_were_heard():
    """As soon as they are known, handlers included."""

    async def script(stage):
        stage.feed(*speaking(), audio_done())
        await stage.after(1.0)
        stage.feed(speech_started())

    stage = Stage()
    stage.run(script)
    assert "one two" == stage.conversation.item("item_1").heard_text


def test_where_the_server_does_not_cancel_we_do_first():
    """By id, before the truncation."""

    async def script(stage):
        stage.feed(*speaking())
        await stage.after(1.0)
        stage.feed(speech_started())

    assert [("cancel", "resp_1"), ("truncate", "item_1", 1_000)] == Stage(turn_detection=VAD_WITHOUT_INTERRUPT).run(
        script
    )


def test_all_was_generated_already():
    """Playback stops and the truncation is sent all the same."""

    async def script(stage):
        stage.feed(*speaking(), audio_done(), response_done())
        await stage.after(0.5)
        stage.feed(speech_started())

    assert [("truncate", "item_1", 500)] == Stage(turn_detection=VAD_WITHOUT_INTERRUPT).run(script)


def test_nothing_is_sent_when_nobody_speaks():
    """Neither before the first answer nor after one that was heard to its end."""

    async def script(stage):
        stage.feed(speech_started(), speech_stopped(), *speaking(), audio_done(), response_done())
        await stage.after(3)
        stage.feed(speech_started())

    stage = Stage(turn_detection=VAD_WITHOUT_INTERRUPT)
    assert ([], []) == (stage.run(script), stage.told)


def test_later_items_are_truncated_at_nothing():
    """The model must not believe that they were heard."""

    async def script(stage):
        stage.feed(*speaking(), audio_done(), audio_delta(steady(500), "item_2"))
        await stage.after(1.0)
        stage.feed(speech_started())

    assert [("truncate", "item_1", 1_000), ("truncate", "item_2", 0)] == Stage().run(script)


def test_late_deltas_are_not_played_and_new_items_truncated_once():
    """They pass on, marked."""

    async def script(stage):
        stage.feed(*speaking())
        await stage.after(1.0)
        stage.feed(speech_started())
        marks = [INTERRUPTED.get(stage.feed(audio_delta(steady(500), i))) for i in ("item_1", "item_2", "item_2")]
        assert [True, True, True] == marks

    stage = Stage()
    assert [("truncate", "item_1", 1_000), ("truncate", "item_2", 0)] == stage.run(script)
    assert not stage.sounding_at(1.2)


def test_the_next_answer_sounds():
    """Only the interrupted response is silenced."""

    async def script(stage):
        stage.feed(*speaking())
        await stage.after(0.5)
        stage.feed(speech_started(), response_done(status="cancelled"), speech_stopped())
        stage.feed(*speaking("resp_2", "item_2"))
        await stage.after(0.1)

    stage = Stage()
    stage.run(script)
    assert stage.sounding_at(0.55)


def test_once_per_interruption():
    """Hearing the user again while the answer is being cancelled changes nothing."""

    async def script(stage):
        stage.feed(*speaking())
        await stage.after(1.0)
        stage.feed(speech_started(), speech_stopped(), speech_started())
        stage.interrupt.interrupt()

    stage = Stage(turn_detection=VAD_WITHOUT_INTERRUPT)
    assert ([("cancel", "resp_1"), ("truncate", "item_1", 1_000)], 1) == (stage.run(script), len(stage.told))


def test_a_refused_truncation_is_sent_once_more_and_leaves_a_margin():
    """The error is dealt with, and not logged."""

    async def script(stage):
        stage.feed(*speaking(), audio_done(), response_done())
        await stage.after(1.99)
        stage.feed(speech_started())
        await stage.after(0.1)
        event_id = stage.send.sent[0]["event_id"]
        message = "Audio content of 1950ms is already shorter than 1990ms"
        metadata = stage.feed(refusal(event_id, "invalid_value", message))
        assert HANDLED.get(metadata)

    stage = Stage()
    assert [("truncate", "item_1", 1_990), ("truncate", "item_1", 1_950)] == stage.run(script)
    assert 40 == stage.interrupt.margin_ms


def test_an_item_that_nobody_heard_is_deleted_when_its_response_is_done():
    """Its words came, its sound never did, and the server will not truncate it."""

    async def script(stage):
        stage.feed(response_created(), words_delta("hello"), speech_started())
        await stage.after(0.1)
        message = "Only model output audio messages can be truncated"
        metadata = stage.feed(refusal(stage.send.sent[0]["event_id"], None, message))
        await stage.after(0.1)
        assert (True, 1) == (HANDLED.get(metadata), len(stage.send.sent))
        stage.feed(response_done(status="cancelled"))

    assert [("truncate", "item_1", 0), ("delete", "item_1")] == Stage().run(script)


def test_errors_of_others_are_left_alone():
    """They are not marked as handled."""
    stage = Stage()
    assert (None, None) == (
        HANDLED.get(stage.feed(refusal("evt_1", "response_cancel_not_active"))),
        HANDLED.get(stage.feed(refusal(None, "server_error"))),
    )


def test_out_of_band_speech_is_silenced_and_cancelled_but_not_truncated():
    """The server does not interrupt it, and it is in no conversation."""

    async def script(stage):
        stage.feed(*speaking("resp_o", "item_o", conversation_id=None))
        await stage.after(0.5)
        stage.feed(speech_started())

    stage = Stage()
    assert [("cancel", "resp_o")] == stage.run(script)
    assert not stage.sounding_at(0.6)


def test_out_of_band_speech_whose_response_is_done_needs_nothing():
    """It is still known to be in no conversation."""

    async def script(stage):
        stage.feed(*speaking("resp_o", "item_o", conversation_id=None))
        item = {"id": "item_o", "type": "message", "role": "assistant", "status": "completed", "content": []}
        stage.feed(server("response.output_item.done", response_id="resp_o", output_index=0, item=item))
        stage.feed(response_done("resp_o"))
        await stage.after(0.5)
        stage.feed(speech_started())

    stage = Stage()
    assert ([], 1) == (stage.run(script), len(stage.told))


def test_beside_a_call_nothing_is_sent():
    """The sound goes past this connection, and the server truncates by itself."""

    async def script(stage):
        stage.feed(
            response_created(), words_delta("hello"), server("output_audio_buffer.started", response_id="resp_1")
        )
        stage.feed(speech_started())
        stage.interrupt.interrupt()

    assert [] == Stage(turn_detection=VAD_WITHOUT_INTERRUPT).run(script)


def test_without_turn_detection_talk_interrupts_at_once():
    """The program knows, and nobody else does."""

    async def script(stage):
        stage.feed(*speaking())
        await stage.after(1.0)
        stage.interrupt.set_is_user_talking(True)
        stage.interrupt.set_is_user_talking(True)

    assert [("cancel", "resp_1"), ("truncate", "item_1", 1_000)] == Stage(turn_detection=MANUAL).run(script)


def test_without_turn_detection_speech_that_begins_into_talk_is_interrupted():
    """The answer to the last question came too late; once it is silent, the next may speak."""

    async def script(stage):
        stage.interrupt.set_is_user_talking(True)
        stage.feed(*speaking())
        stage.interrupt.set_is_user_talking(False)
        stage.feed(response_done(status="cancelled"), *speaking("resp_2", "item_2"))
        await stage.after(0.1)

    stage = Stage(turn_detection=MANUAL)
    assert [("cancel", "resp_1"), ("truncate", "item_1", 0)] == stage.run(script)
    assert stage.sounding_at(0.05)


def test_a_local_detector_only_holds_and_speech_goes_on_at_the_very_sample():
    """A cough is no interruption: nothing is sent, nobody told."""

    async def script(stage):
        stage.feed(*speaking(), audio_done())
        await stage.after(0.5)
        stage.interrupt.set_is_user_talking(True)
        await stage.after(0.3)
        assert 500 == stage.player.heard("item_1")
        stage.interrupt.set_is_user_talking(False)
        await stage.after(0.2)
        assert 700 == stage.player.heard("item_1")

    stage = Stage()
    assert ([], []) == (stage.run(script), stage.told)
    assert (False, True) == (stage.sounding_at(0.6), stage.sounding_at(0.9))
    assert 2_000 == stage.player.heard("item_1")


def test_the_server_confirms_what_a_local_detector_held():
    """The truncation is at the moment of the hold; the timer finds nothing left to do."""

    async def script(stage):
        stage.feed(*speaking())
        await stage.after(0.5)
        stage.interrupt.set_is_user_talking(True)
        await stage.after(0.3)
        stage.feed(speech_started())

    assert [("truncate", "item_1", 500)] == Stage().run(script)


def test_long_local_talk_confirms_itself():
    """After confirm_ms; the server knows nothing of it, so it is told to cancel."""

    async def script(stage):
        stage.feed(*speaking())
        await stage.after(0.5)
        stage.interrupt.set_is_user_talking(True)
        await stage.after(0.59)
        assert [] == stage.send.sent
        await stage.after(0.02)
        assert 2 == len(stage.send.sent)

    assert [("cancel", "resp_1"), ("truncate", "item_1", 500)] == Stage(confirm_ms=600).run(script)


def test_held_twice_waits_for_the_last_talk():
    """The timer of the first cough does not confirm the second."""

    async def script(stage):
        stage.feed(*speaking())
        for _ in range(2):
            stage.interrupt.set_is_user_talking(True)
            await stage.after(0.4)
            stage.interrupt.set_is_user_talking(False)

    assert [] == Stage(confirm_ms=600).run(script)


def test_short_speech_does_not_interrupt_where_it_must_last():
    """Under the server's detection too, as long as it does not cancel by itself."""

    async def script(stage):
        stage.feed(*speaking())
        await stage.after(0.5)
        stage.feed(speech_started())
        await stage.after(0.1)
        stage.feed(speech_stopped())
        await stage.after(0.5)
        assert 1_000 == stage.player.heard("item_1")
        stage.feed(speech_started())
        await stage.after(0.3)

    stage = Stage(turn_detection=VAD_WITHOUT_INTERRUPT, min_interruption_ms=200)
    assert [("cancel", "resp_1"), ("truncate", "item_1", 1_000)] == stage.run(script)


def test_a_server_that_cancels_is_not_waited_for():
    """There would be nothing to go on with."""

    async def script(stage):
        stage.feed(*speaking())
        await stage.after(0.5)
        stage.feed(speech_started())

    assert [("truncate", "item_1", 500)] == Stage(min_interruption_ms=200).run(script)


def test_handlers_may_be_asynchronous():
    """They are run in the background, and told as the others are."""
    told = []

    async def slowly(cuts):
        await asyncio.sleep(0)
        told.append(cuts)

    async def script(stage):
        stage.feed(*speaking())
        await stage.after(0.5)
        stage.feed(speech_started())

    Stage(on_interrupt=slowly).run(script)
    assert [[Cut(SpeechId("item_1"), 500, 2_000, "resp_1")]] == told


def test_a_lost_connection_is_left_to_keep_receiving():
    """The silence stays; the background work does not fail a second time."""

    async def script(stage):
        stage.send.refuse_with = ConnectionLost(1006)
        stage.feed(*speaking())
        await stage.after(0.5)
        stage.feed(speech_started())

    stage = Stage()
    assert ([], False) == (stage.run(script), stage.player.is_speaking)


def test_without_send_it_is_told():
    """After the silence, which needs none."""
    stage = Stage()
    stage.interrupt._send = None
    stage.feed(*speaking())
    stage.clock.advance(0.5)
    with pytest.raises(HandlerError, match=r"Interrupt has work to do but no send"):
        stage.feed(speech_started())
    assert not stage.player.is_speaking


def test_the_pair_unpacks_as_four():
    """Handlers come in the order in which they are hooked; leaving falls silent."""
    clock = ManualClock()
    speaker = MemorySpeaker(clock)
    with interruptable_audio_player(TrackConfig(), TrackConversation(), speaker, clock=clock) as (
        audio_player,
        interrupt,
        server_handlers,
        register_send_with_handlers,
    ):
        assert (audio_player.server_event_handler, interrupt.server_event_handler) == server_handlers
        register_send_with_handlers(FakeSend())
        for event in speaking():
            audio_player.server_event_handler(event, {}, None)
        clock.advance(0.1)
    clock.advance(1)
    assert 2_400 + 119 <= np.count_nonzero(speaker.sounded()) <= 2_400 + 120


def test_the_pair_is_one_middleware():
    """Its handler is both handlers in order; an event that is late is marked by the one and told by the other."""
    clock = ManualClock()
    config, conversation = TrackConfig(), TrackConversation()
    with interruptible_audio_player(config, conversation, MemorySpeaker(clock), clock=clock) as iap:
        conversation.server_event_handler(response_created(), {}, None)
        iap.server_event_handler(response_created(), {}, None)
        iap.audio_player.cut(["resp_1"])
        with pytest.raises(HandlerError, match="Interrupt has work to do"):
            iap.server_event_handler(audio_delta(steady(10)), {}, None)


def test_both_spellings_are_one():
    """The name is misspelt half of the time."""
    assert interruptable_audio_player is interruptible_audio_player


def test_nothing_is_logged_of_what_is_handled(caplog):
    """An interruption is everyday."""

    async def script(stage):
        stage.feed(*speaking())
        await stage.after(0.5)
        stage.feed(speech_started())

    with caplog.at_level(logging.INFO):
        Stage().run(script)
    assert [] == caplog.records
