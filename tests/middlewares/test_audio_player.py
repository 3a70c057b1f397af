"""Speech from events to a loudspeaker."""

import asyncio
import logging

import numpy as np
import pytest

from openai_realtime_api_utils.audio import g711
from openai_realtime_api_utils.clock import ManualClock
from openai_realtime_api_utils.errors import HandlerError
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.host.memory import MemorySpeaker
from openai_realtime_api_utils.middlewares import AUDIO, INTERRUPTED, SPEECH, AudioPlayer
from openai_realtime_api_utils.ports import SpeechId
from openai_realtime_api_utils.state.playhead import Cut
from speaking import (
    FakeSend,
    audio_delta,
    audio_done,
    response_created,
    response_done,
    server,
    session_event,
    steady,
    words_delta,
)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def speaker(clock):
    return MemorySpeaker(clock)


@pytest.fixture
def player(speaker, clock):
    return AudioPlayer(speaker, clock=clock)


def feed(player, *events):
    """Let the player see events; return the metadata of each."""
    return [player.server_event_handler(event, {}, None)[1] for event in events]


def sounded_ms(speaker):
    """Return how many milliseconds of something else than silence have sounded."""
    return np.count_nonzero(speaker.sounded()) / speaker.rate * 1000


def test_speech_sounds(player, speaker, clock):
    """What was received sounds, then silence."""
    feed(player, response_created(), audio_delta(steady(100, 5)), audio_done())
    clock.advance(0.2)
    assert [5] * 2_400 + [0] * 2_400 == speaker.sounded().tolist()


def test_every_event_passes(player):
    """The player only watches."""
    event = audio_delta(steady(10))
    assert event is player.server_event_handler(event, {}, None)[0]


def test_speech_starts_when_the_prebuffer_is_full(player, speaker, clock):
    """59 ms wait, 60 ms sound."""
    feed(player, response_created(), audio_delta(steady(59)))
    clock.advance(0.1)
    waited = sounded_ms(speaker)
    feed(player, audio_delta(steady(1)))
    clock.advance(0.1)
    assert (0, 60) == (waited, sounded_ms(speaker))


def test_short_speech_sounds_when_it_is_complete(player, speaker, clock):
    """What never fills the prebuffer is not kept back."""
    feed(player, response_created(), audio_delta(steady(20)), audio_done())
    clock.advance(0.1)
    assert 20 == sounded_ms(speaker)


def test_dry_speech_waits_for_much_more_and_is_counted(player, speaker, clock):
    """A network that stutters makes one hole, not many."""
    feed(player, response_created(), audio_delta(steady(100)))
    clock.advance(0.15)
    feed(player, audio_delta(steady(399)))
    clock.advance(0.1)
    waited = sounded_ms(speaker)
    feed(player, audio_delta(steady(1)))
    clock.advance(0.5)
    assert (100, 500, 1) == (waited, sounded_ms(speaker), player.underruns)


def test_speech_after_late_speech_starts_with_more(player, speaker, clock):
    """What came 150 ms too late once is waited for the next time."""
    feed(player, response_created(), audio_delta(steady(100)))
    clock.advance(0.25)
    feed(player, audio_delta(steady(100)), audio_done())
    clock.advance(1)
    before = sounded_ms(speaker)
    feed(player, audio_delta(steady(149), "item_2"))
    clock.advance(0.05)
    waited = sounded_ms(speaker)
    feed(player, audio_delta(steady(1), "item_2"))
    clock.advance(0.2)
    assert (200, 200, 350) == (before, waited, sounded_ms(speaker))


def test_a_choppy_network_makes_one_hole_at_most(clock):
    """Bursts and gaps of up to 300 ms, faster than real time on average: never a second hole in one speech."""
    rng = np.random.default_rng(7)
    holes = []
    for n in range(40):
        player = AudioPlayer(MemorySpeaker(clock), clock=clock)
        feed(player, response_created())
        received = 0
        while received < 8_000:
            burst = int(rng.integers(20, 400))
            feed(player, audio_delta(steady(burst), f"item_{n}"))
            received += burst
            clock.advance(float(rng.uniform(0, 0.3)))
        feed(player, audio_done(f"item_{n}"))
        holes.append(player.underruns)
    assert max(holes) <= 1
    assert sum(holes) > 0  # the network was choppy indeed


def test_deltas_at_real_time_pace_leave_no_hole(player, speaker, clock):
    """A piece every 100 ms of 100 ms each sounds without a gap."""
    feed(player, response_created())
    for _ in range(10):
        feed(player, audio_delta(steady(100)))
        clock.advance(0.1)
    assert 24_000 == np.count_nonzero(speaker.sounded())


def test_items_sound_one_after_the_other(player, speaker, clock):
    """Interleaved items are not mixed up."""
    feed(
        player,
        response_created(),
        audio_delta(steady(60, 1), "item_1"),
        audio_delta(steady(60, 2), "item_2"),
        audio_delta(steady(60, 1), "item_1"),
        audio_done("item_1"),
        audio_done("item_2"),
    )
    clock.advance(0.18)
    assert [1] * 2_880 + [2] * 1_440 == speaker.sounded().tolist()
    assert (SpeechId("item_1"), SpeechId("item_2")) == player.speech_ids


@pytest.mark.parametrize(
    "end",
    [
        server("response.content_part.done", item_id="item_1", content_index=0),
        server("response.output_item.done", item={"id": "item_1", "type": "message"}),
        server("conversation.item.done", item={"id": "item_1", "type": "message"}),
        response_done(status="failed"),
    ],
    ids=lambda event: event.type,
)
def test_any_closing_event_lets_the_next_speech_begin(player, speaker, clock, end):
    """A response that fails, or lacks an event, does not block the loudspeaker."""
    feed(player, response_created(), audio_delta(steady(20, 1)), end)
    feed(player, response_created("resp_2"), audio_delta(steady(60, 2), "item_2", "resp_2"))
    clock.advance(0.08)
    assert [1] * 480 + [2] * 1_440 == speaker.sounded().tolist()


def test_heard_follows_the_loudspeaker(player, clock):
    """In whole milliseconds, never more than was received."""
    feed(player, response_created(), audio_delta(steady(100)))
    heard = []
    for _ in range(4):
        heard.append((player.heard("item_1"), round(player.heard_s, 6)))
        clock.advance(0.0405)
    assert [(0, 0.0), (40, 0.0405), (81, 0.081), (100, 0.1)] == heard


def test_an_unknown_item_was_not_heard(player):
    """Asking is no error."""
    assert (0, "") == (player.heard("nobody"), player.heard_text("nobody"))


def test_heard_text_follows_the_sound(player, clock):
    """Only words heard to their end count."""
    feed(player, response_created(), words_delta("one two "), words_delta("three four"))
    feed(player, audio_delta(steady(1_800)), audio_done())
    clock.advance(0.9)
    half = player.heard_text("item_1")
    clock.advance(0.9)
    assert ("one two", "one two three four") == (half, player.heard_text("item_1"))


def test_is_speaking_until_the_last_sample_is_out(player, clock):
    """Not until the last delta came."""
    states = [player.is_speaking]
    feed(player, response_created(), audio_delta(steady(100)), audio_done(), response_done())
    for _ in range(3):
        states.append(player.is_speaking)
        clock.advance(0.06)
    assert [False, True, True, False] == states


@pytest.mark.parametrize("law", ["audio/pcmu", "audio/pcma"])
def test_the_sessions_format_is_decoded_and_resampled(player, speaker, clock, law):
    """8 kHz G.711 sounds as long and as loud at 24 kHz."""
    tone = (8_000 * np.sin(np.arange(1_600) * 2 * np.pi * 0.05)).astype(np.int16)
    feed(player, session_event("session.updated", output_format={"type": law}), response_created())
    feed(player, audio_delta(g711.encode(tone, law)), audio_done())
    clock.advance(0.3)
    sounded = speaker.sounded()
    assert 200 == player.heard("item_1")
    assert 0 == np.count_nonzero(sounded[4_800:])
    assert np.sqrt(np.mean(sounded[:4_800].astype(float) ** 2)) == pytest.approx(8_000 / np.sqrt(2), rel=0.03)


def test_a_responses_own_format_goes_before_the_sessions(player, clock):
    """``response.create`` may override the format."""
    feed(player, session_event(), response_created(audio={"output": {"format": {"type": "audio/pcmu"}}}))
    feed(player, audio_delta(b"\xff" * 800), audio_done())
    clock.advance(1)
    assert 100 == player.heard("item_1")


def test_an_unknown_format_is_told_and_the_last_kept(player, clock, caplog):
    """One sentence; the session goes on."""
    feed(player, session_event(output_format={"type": "audio/opus"}), response_created(), audio_delta(steady(100)))
    clock.advance(1)
    assert 100 == player.heard("item_1")
    assert ["audio/opus" in record.getMessage() for record in caplog.records] == [True]


def test_audio_is_decoded_once_for_all(player):
    """Later handlers find the samples and what they belong to."""
    (_, metadata) = feed(player, response_created(), audio_delta(steady(1, 7), content_index=2))
    assert [7] * 24 == AUDIO.get(metadata).tolist()
    assert (SpeechId("item_1", 2), None) == (SPEECH.get(metadata), INTERRUPTED.get(metadata))


def test_a_sample_cut_in_half_is_joined(player, speaker, clock):
    """An odd number of bytes in a delta is not noise."""
    data = steady(60, 0x0102).astype("<i2").tobytes()
    feed(player, response_created(), audio_delta(data[:1_001]), audio_delta(data[1_001:]), audio_done())
    clock.advance(0.06)
    assert [0x0102] * 1_440 == speaker.sounded().tolist()


@pytest.mark.parametrize("delta", ["no base64!", "abc", "\u00e4\u00f6"])
def test_what_is_not_base64_is_told_and_skipped(player, speaker, clock, caplog, delta):
    """One sentence naming the item; the rest sounds."""
    with caplog.at_level(logging.WARNING):
        feed(player, response_created(), audio_delta(delta), audio_delta(steady(60)), audio_done())
    clock.advance(0.1)
    assert 60 == sounded_ms(speaker)
    assert ["item_1 is not base64" in record.getMessage() for record in caplog.records] == [True]


def test_a_delta_without_an_item_is_told_and_skipped(player, caplog):
    """Nothing is known to play it as."""
    feed(player, server("response.output_audio.delta", delta=""))
    assert "A response.output_audio.delta names no item; it was skipped." == caplog.records[0].getMessage()


def test_speech_after_its_end_is_told_and_not_played(player, speaker, clock, caplog):
    """The loudspeaker was promised that nothing more comes."""
    feed(player, response_created(), audio_delta(steady(60)), audio_done(), audio_delta(steady(60)))
    clock.advance(0.2)
    assert 60 == sounded_ms(speaker)
    assert "came after its end" in caplog.records[0].getMessage()


def test_cut_silences_all_and_tells_how_far_each_was_heard(player, speaker, clock):
    """In the order of playing; what had sounded to its end is not cut."""
    feed(player, response_created("resp_0"), audio_delta(steady(60), "item_0", "resp_0"), audio_done("item_0"))
    feed(player, response_created(), audio_delta(steady(200)), audio_done(), audio_delta(steady(80), "item_2"))
    clock.advance(0.1)
    cuts = player.cut()
    clock.advance(1)
    expected = [Cut(SpeechId("item_1"), 40, 200, "resp_1"), Cut(SpeechId("item_2"), 0, 80, "resp_1")]
    assert expected == cuts
    assert sounded_ms(speaker) == pytest.approx(105, abs=0.1)  # the fade-out is 5 ms
    assert ([], False, 40) == (player.cut(), player.is_speaking, player.heard("item_1"))


def test_late_deltas_are_marked_and_not_played(player, speaker, clock):
    """Of the item that was cut, and of new ones of its response, until the response is done."""
    feed(player, response_created(), audio_delta(steady(100)))
    clock.advance(0.05)
    player.cut()
    marks = [
        INTERRUPTED.get(m)
        for m in feed(player, audio_delta(steady(100)), audio_delta(steady(100), "item_2"), words_delta("x"))
    ]
    feed(player, response_done(status="cancelled"), response_created("resp_2"))
    (metadata,) = feed(player, audio_delta(steady(100), "item_3", "resp_2"))
    clock.advance(1)
    assert ([True, True, True], None) == (marks, INTERRUPTED.get(metadata))
    assert sounded_ms(speaker) == pytest.approx(155, abs=0.1)


def test_responses_named_in_a_cut_are_silenced_before_they_speak(player, speaker, clock):
    """A response that had not begun to speak never does."""
    feed(player, response_created())
    player.cut(["resp_1"])
    (metadata,) = feed(player, audio_delta(steady(100)))
    clock.advance(1)
    assert (True, 0) == (INTERRUPTED.get(metadata), sounded_ms(speaker))


def test_held_speech_goes_on_at_the_very_sample(player, speaker, clock):
    """New speech, too, waits while the player is held."""
    feed(player, response_created(), audio_delta(np.arange(1, 2_401)), audio_done())
    clock.advance(0.05)
    player.hold()
    feed(player, audio_delta(steady(60, 9), "item_2"))
    clock.advance(1)
    held = (player.heard("item_1"), player.is_speaking)
    player.go_on()
    clock.advance(0.11)
    assert ((50, True), 100, 60) == (held, player.heard("item_1"), player.heard("item_2"))
    assert list(range(1_321, 2_401)) == speaker.sounded()[25_200 + 120 : 25_200 + 1_200].tolist()


def test_a_deleted_item_falls_silent(player, speaker, clock):
    """Somebody took it back."""
    feed(player, response_created(), audio_delta(steady(200)), audio_done())
    clock.advance(0.1)
    feed(player, server("conversation.item.deleted", item_id="item_1"))
    clock.advance(1)
    assert sounded_ms(speaker) == pytest.approx(105, abs=0.1)


def test_old_speech_is_forgotten_but_counted(player, clock):
    """A session of many answers keeps a bounded number."""
    for n in range(300):
        feed(player, response_created(f"r{n}"), audio_delta(steady(60), f"i{n}", f"r{n}"), response_done(f"r{n}"))
        clock.advance(0.06)
    assert (256, 18.0) == (len(player.speech_ids), pytest.approx(player.heard_s))


def ends_of(clock, speaker, script, **options):
    """Run a script on a player with an end handler; return what was told when."""
    ended = []

    async def main():
        send = FakeSend()
        player = AudioPlayer(speaker, clock=clock, **options)
        player.register_on_speech_end_handler(
            lambda speech_id: ended.append((speech_id.item_id, round(clock.now(), 3)))
        )
        player.register_send_with_handlers(send)
        await script(player)
        await clock.sleep_until(clock.now() + 5)
        await send.close()

    fast_forward.run(main(), clock)
    return ended


def test_the_end_is_told_when_it_has_sounded(clock, speaker):
    """In the order and at the time of sounding, not of receiving."""

    async def script(player):
        feed(player, response_created(), audio_delta(steady(500)), audio_delta(steady(250), "item_2"), response_done())

    assert [("item_1", 0.5), ("item_2", 0.75)] == ends_of(clock, speaker, script)


def test_the_end_comes_later_by_as_long_as_it_was_held(clock, speaker):
    """Holding moves the end."""

    async def script(player):
        feed(player, response_created(), audio_delta(steady(500)), response_done())
        await clock.sleep_until(0.1)
        player.hold()
        await clock.sleep_until(1.1)
        player.go_on()

    assert [("item_1", 1.5)] == ends_of(clock, speaker, script)


def test_the_end_of_speech_that_was_cut_is_not_told(clock, speaker):
    """It never sounded to its end."""

    async def script(player):
        feed(player, response_created(), audio_delta(steady(500)), response_done())
        await clock.sleep_until(0.1)
        player.hold()
        player.cut()

    assert [] == ends_of(clock, speaker, script)


def test_the_end_of_words_without_sound_is_not_told(clock, speaker):
    """On a connection beside a call, there is no sound to end."""

    async def script(player):
        feed(player, response_created(), words_delta("hello"), response_done())

    assert [] == ends_of(clock, speaker, script)


def test_end_handlers_may_be_asynchronous(clock, speaker):
    """They are awaited one after the other."""
    told = []

    async def slowly(speech_id):
        await clock.sleep_until(clock.now() + 1)
        told.append(speech_id)

    async def script(player):
        feed(player, response_created(), audio_delta(steady(60)), response_done())

    ends_of(clock, speaker, script, on_speech_end=[slowly])
    assert [SpeechId("item_1")] == told


def test_end_handlers_without_send_are_told(speaker, clock):
    """One sentence says what is missing."""
    player = AudioPlayer(speaker, on_speech_end=[print], clock=clock)
    with pytest.raises(HandlerError, match=r"call its register_send_with_handlers\(send\)"):
        feed(player, response_created(), audio_delta(steady(60)), audio_done())


def test_a_failing_end_handler_is_not_swallowed(speaker, clock):
    """Its error ends the spawned work, and so keep_receiving."""

    def fail(_):
        raise RuntimeError("boom")

    async def main():
        send = FakeSend()
        player = AudioPlayer(speaker, on_speech_end=[fail], clock=clock)
        player.register_send_with_handlers(send)
        feed(player, response_created(), audio_delta(steady(60)), audio_done())
        (result,) = await asyncio.gather(*send.tasks, return_exceptions=True)
        return result

    assert "boom" == str(fast_forward.run(main(), clock))
