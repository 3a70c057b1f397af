"""A microphone on its way to the server."""

import base64
import logging
import wave

import numpy as np
import pytest

from fakes import FakeConnection, closed_by_server
from openai_realtime_api_utils.audio import g711
from openai_realtime_api_utils.audio.level import SILENCE_DBFS
from openai_realtime_api_utils.clock import ManualClock
from openai_realtime_api_utils.errors import ConnectionLost, FormatError, HandlerError
from openai_realtime_api_utils.handlers import HANDLED
from openai_realtime_api_utils.hooks import hook_handlers
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.host.memory import MemoryMicrophone
from openai_realtime_api_utils.middlewares import StreamMic
from openai_realtime_api_utils.ports import Frame
from speaking import FakeSend, refusal, response_created, response_done, server, session_event, steady

MANUAL = None
APPEND, COMMIT, CLEAR = "input_audio_buffer.append", "input_audio_buffer.commit", "input_audio_buffer.clear"


class Stage:
    """Hold a streamer and its microphone on a manual clock."""

    def __init__(self, *, rate=24_000, microphone=None, **options):
        self.clock = ManualClock()
        self.microphone = microphone or MemoryMicrophone(self.clock, rate=rate)
        self.mic = StreamMic(self.microphone, clock=self.clock, **options)
        self.send = FakeSend()
        self.mic.register_send_with_handlers(self.send)

    def feed(self, *events):
        for event in events:
            _, metadata = self.mic.server_event_handler(event, {}, None)
        return metadata

    async def after(self, seconds):
        await self.clock.sleep_until(self.clock.now() + seconds)

    def run(self, script):
        async def main():
            await script(self)
            await self.send.close()

        fast_forward.run(main(), self.clock)
        return self.send.sent

    def audio(self):
        """Return all that was appended, decoded from PCM."""
        return np.frombuffer(b"".join(payloads(self.send.sent)), "<i2")

    def types(self):
        """Return the types sent, runs of appends as one."""
        types = self.send.types()
        return [t for i, t in enumerate(types) if t != APPEND or i == 0 or types[i - 1] != APPEND]


def payloads(events):
    return [base64.b64decode(event["audio"]) for event in events if "audio" in event]


@pytest.mark.parametrize("first", ["session.created", "session.updated"])
def test_streaming_begins_with_the_session(first):
    """A connection beside a call sees no session.created. Each frame is sent as it comes, 20 ms at a time."""

    async def script(stage):
        await stage.after(1)
        assert [] == stage.send.sent
        stage.feed(session_event(first), session_event("session.updated"))
        stage.microphone.say(steady(40, 7))
        await stage.after(0.1001)

    stage = Stage()
    sent = stage.run(script)
    assert [960] * 5 == [len(data) for data in payloads(sent)]
    assert [7] * 960 + [0] * 1_440 == stage.audio().tolist()
    assert {APPEND} == set(stage.types())


def test_frames_of_a_device_are_joined_to_frame_ms():
    """Small ones are not sent one by one."""
    clock = ManualClock()

    async def script(stage):
        stage.feed(session_event())
        await stage.after(0.1)

    stage = Stage(microphone=MemoryMicrophone(clock, frame_ms=5), frame_ms=40)
    stage.clock = stage.mic._clock = clock
    assert [1_920, 1_920] == [len(data) for data in payloads(stage.run(script))][:2]


@pytest.mark.parametrize("law", ["audio/pcmu", "audio/pcma"])
def test_the_sessions_format_is_spoken(law):
    """48 kHz sound goes out as 8 kHz G.711 from the moment the session says so."""
    tone = (8_000 * np.sin(np.arange(48_000) * 2 * np.pi * 0.01)).astype(np.int16)

    async def script(stage):
        stage.microphone.say(tone)
        stage.feed(session_event("session.updated", input_format={"type": law}))
        await stage.after(1.0)

    stage = Stage(rate=48_000)
    data = b"".join(payloads(stage.run(script)))
    got = g711.decode(data, law).astype(float)
    assert len(got) == pytest.approx(8_000, abs=200)
    assert np.sqrt(np.mean(got**2)) == pytest.approx(8_000 / np.sqrt(2), rel=0.03)


def test_an_unknown_format_is_told_and_the_last_kept(caplog):
    """One sentence; the microphone goes on."""

    async def script(stage):
        stage.feed(session_event(input_format={"type": "audio/opus"}))
        await stage.after(0.05)

    stage = Stage()
    assert [960, 960] == [len(data) for data in payloads(stage.run(script))]
    assert "The microphone is sent as audio/pcm." in caplog.text


def test_what_piled_up_is_merged():
    """A network that lags gets one large event, not many small ones."""

    async def script(stage):
        stage.feed(session_event())
        stage.send.may_send.clear()
        await stage.after(0.5001)
        stage.send.may_send.set()
        await stage.after(0.001)

    stage = Stage()
    sizes_ms = [len(data) // 48 for data in payloads(stage.run(script))]
    assert ([20, 480], 0) == (sizes_ms, stage.mic.lost)


def test_what_is_too_old_is_dropped_and_counted():
    """After ten seconds without a network, the last two are sent."""

    async def script(stage):
        stage.feed(session_event())
        stage.send.may_send.clear()
        await stage.after(10.0001)
        stage.send.may_send.set()
        await stage.after(0.001)

    stage = Stage()
    sizes = [len(data) // 2 for data in payloads(stage.run(script))]
    assert ([480, 48_000], 240_000 - 48_480) == (sizes, stage.mic.lost)


def test_what_the_microphone_lost_is_counted():
    """It never reached the server either."""

    class Lossy:
        rate = 24_000

        async def frames(self):
            yield Frame(steady(20), 0.0, lost=100)
            yield Frame(steady(20), 0.02, lost=11)

    async def script(stage):
        stage.feed(session_event())
        await stage.after(0.1)

    stage = Stage(microphone=Lossy())
    stage.run(script)
    assert 111 == stage.mic.lost


def test_muted_sends_silence_at_the_same_pace():
    """Turn detection needs sound to flow."""

    async def script(stage):
        stage.feed(session_event())
        stage.microphone.say(steady(100, 5))
        await stage.after(0.0401)
        stage.mic.mute = True
        await stage.after(0.04)
        level = stage.mic.level
        stage.mic.mute = False
        await stage.after(0.02)
        assert SILENCE_DBFS == level

    stage = Stage()
    stage.run(script)
    assert [5] * 960 + [0] * 960 + [5] * 480 == stage.audio().tolist()


def test_level_is_that_of_the_last_frame():
    """In dB below full scale, for a meter."""

    async def script(stage):
        stage.microphone.say(steady(20, 16_384))
        stage.feed(session_event())
        await stage.after(0.021)

    stage = Stage()
    stage.run(script)
    assert -6.02 == pytest.approx(stage.mic.level, abs=0.01)


def test_a_microphone_that_ends_is_sent_to_its_last_sample_and_told(caplog):
    """Streaming ends quietly; the resampler's rest and a short last piece are sent."""

    class Short:
        rate = 48_000

        async def frames(self):
            yield Frame(steady(30, 9, self.rate), 0.0)

    async def script(stage):
        stage.feed(session_event())
        await stage.after(0.1)

    stage = Stage(microphone=Short())
    with caplog.at_level(logging.INFO):
        stage.run(script)
    assert 720 == len(stage.audio())
    assert ["The microphone ended."] == [r.getMessage() for r in caplog.records]


def test_without_send_it_is_told():
    """Before anything is lost."""
    mic = StreamMic(MemoryMicrophone(ManualClock()))
    with pytest.raises(HandlerError, match=r"StreamMic has work to do but no send"):
        mic.server_event_handler(session_event(), {}, None)


def test_a_lost_connection_is_left_to_keep_receiving():
    """The background work does not fail a second time."""

    async def script(stage):
        stage.send.refuse_with = ConnectionLost(1006)
        stage.feed(session_event())
        await stage.after(0.1)

    assert [] == Stage().run(script)


def test_a_translation_session_gets_its_own_event_in_its_own_frames():
    """200 ms at a time."""

    async def script(stage):
        stage.feed(session_event(session_type="translation"))
        await stage.after(0.4001)

    sent = Stage().run(script)
    assert [("session.input_audio_buffer.append", 9_600)] * 2 == [
        (event["type"], len(data)) for event, data in zip(sent, payloads(sent), strict=True)
    ]


def test_the_copy_holds_what_was_sent(tmp_path):
    """Silence where it was muted; entering it again inside does not cut it off."""

    async def script(stage):
        with stage.mic, stage.mic:
            stage.feed(session_event())
            stage.microphone.say(steady(60, 5))
            await stage.after(0.0201)
            stage.mic.mute = True
            await stage.after(0.02)
            stage.mic.mute = False
        await stage.after(0.02)

    Stage(recording_path=tmp_path / "copy.wav").run(script)
    with wave.open(str(tmp_path / "copy.wav")) as f:
        copy = np.frombuffer(f.readframes(f.getnframes()), "<i2").tolist()
    assert [5] * 480 + [0] * 480 + [5] * 480 == copy


def test_a_copy_that_cannot_be_written_is_told(tmp_path):
    """When the microphone is entered, not in the middle of the session."""
    with pytest.raises(FormatError, match="cannot be written"):
        StreamMic(MemoryMicrophone(ManualClock()), recording_path=tmp_path).__enter__()


def ptt(script, *, turn_detection=MANUAL, before=(), **options):
    """Run a script on a push-to-talk streamer in a running session."""

    async def whole(stage):
        stage.feed(session_event(turn_detection=turn_detection), *before)
        stage.microphone.say(steady(60_000, 5))
        await stage.after(1.0001)
        await script(stage)
        await stage.after(1)

    stage = Stage(gate="push_to_talk", **options)
    stage.run(whole)
    return stage


def test_push_to_talk_sends_only_while_pressed_and_then_asks():
    """Append, commit, response.create; nothing before and nothing after."""

    async def script(stage):
        assert ([], False) == (stage.send.sent, stage.mic.is_pressed)
        stage.mic.press()
        await stage.after(0.5)
        assert stage.mic.is_pressed
        stage.mic.release()

    stage = ptt(script)
    assert [APPEND, COMMIT, "response.create"] == stage.types()
    # The frame under way at the press and the one at the release belong to the turn; and 200 ms from before it.
    assert len(stage.audio()) == pytest.approx(0.7 * 24_000, abs=480)


@pytest.mark.parametrize(("pre_roll_ms", "sent_s"), [(0, 0.5), (200, 0.7), (5000, 1.5)])
def test_what_was_said_just_before_the_press_is_sent(pre_roll_ms, sent_s):
    """People begin to speak before the key is down; no more is kept than there is."""

    async def script(stage):
        stage.mic.press()
        await stage.after(0.5)
        stage.mic.release()

    stage = ptt(script, pre_roll_ms=pre_roll_ms)
    assert len(stage.audio()) == pytest.approx(sent_s * 24_000, abs=480)


def test_what_was_muted_before_the_press_stays_silent():
    """Muted is muted, key or not."""

    async def script(stage):
        stage.mic.mute = True
        await stage.after(0.5)
        stage.mic.press()
        stage.mic.mute = False
        await stage.after(0.5)
        stage.mic.release()

    stage = ptt(script)
    assert np.count_nonzero(stage.audio()) == pytest.approx(0.5 * 24_000, abs=480)


def test_sound_on_its_way_at_the_release_still_belongs_to_the_turn():
    """A device delivers late; the last syllable is not cut off."""
    latency = 0.1

    class Late:
        rate = 24_000

        def __init__(self):
            self.clock = None

        async def frames(self):
            for n in range(100):
                await self.clock.sleep_until(0.02 * (n + 1) + latency)
                yield Frame(steady(20, n + 1), 0.02 * n)

    async def script(stage):
        stage.feed(session_event(turn_detection=MANUAL))
        await stage.after(0.0001)
        stage.mic.press()
        await stage.after(0.5)
        stage.mic.release()
        await stage.after(1)

    microphone = Late()
    stage = Stage(microphone=microphone, gate="push_to_talk")
    microphone.clock = stage.clock
    stage.run(script)
    assert [APPEND, COMMIT, "response.create"] == stage.types()
    assert list(range(1, 27)) == stage.audio()[::480].tolist()  # up to the frame in which the release lay


def test_a_turn_ends_although_the_microphone_stands_still():
    """Nobody waits for sound that never comes."""

    class Stuck:
        rate = 24_000

        async def frames(self):
            yield Frame(steady(500), 0.0)
            await self.clock.sleep_until(1_000.0)

    async def script(stage):
        stage.feed(session_event(turn_detection=MANUAL))
        stage.mic.press()
        await stage.after(0.5)
        stage.mic.release()
        await stage.after(0.3)

    microphone = Stuck()
    stage = Stage(microphone=microphone, gate="push_to_talk")
    microphone.clock = stage.clock
    stage.run(script)
    assert [APPEND, COMMIT, "response.create"] == stage.types()


@pytest.mark.parametrize(("held_s", "end"), [(0.05, CLEAR), (0.15, COMMIT)])
def test_too_short_a_turn_is_cleared(held_s, end):
    """The server would refuse to commit it."""

    async def script(stage):
        stage.mic.press()
        await stage.after(held_s)
        stage.mic.release()

    assert [APPEND, end, *(["response.create"] if end == COMMIT else [])] == ptt(script).types()


def test_the_answer_is_asked_for_once_no_response_is_open():
    """A second response at a time would be refused."""

    async def script(stage):
        stage.mic.press()
        await stage.after(0.5)
        stage.mic.release()
        await stage.after(0.5)
        assert [APPEND, COMMIT] == stage.types()
        stage.feed(response_done("resp_0"))

    assert [APPEND, COMMIT, "response.create"] == ptt(script, before=[response_created("resp_0")]).types()


def test_an_out_of_band_response_is_not_waited_for():
    """It runs beside the conversation."""

    async def script(stage):
        stage.mic.press()
        await stage.after(0.5)
        stage.mic.release()

    stage = ptt(script, before=[response_created("resp_o", conversation_id=None)])
    assert [APPEND, COMMIT, "response.create"] == stage.types()


def test_the_answer_waits_while_the_user_talks_on():
    """Two turns while an answer is open are answered once."""

    async def script(stage):
        stage.mic.press()
        await stage.after(0.5)
        stage.mic.release()
        await stage.after(0.5)
        stage.mic.press()
        stage.feed(response_done("resp_0"))
        await stage.after(0.5)
        stage.mic.release()

    stage = ptt(script, before=[response_created("resp_0")])
    assert [APPEND, COMMIT, APPEND, COMMIT, "response.create"] == stage.types()


def test_a_crossing_response_is_waited_for():
    """Ours is refused, marked as dealt with, and asked for again."""

    async def script(stage):
        stage.mic.press()
        await stage.after(0.5)
        stage.mic.release()
        await stage.after(0.5)
        asked = stage.send.sent[-1]["event_id"]
        metadata = stage.feed(refusal(asked, "conversation_already_has_active_response"))
        assert HANDLED.get(metadata)
        stage.feed(response_done("resp_x"))

    assert [APPEND, COMMIT, "response.create", "response.create"] == ptt(script).types()


def test_a_transcription_session_is_not_asked_for_answers():
    """It gives none."""

    async def script(stage):
        stage.feed(session_event("session.updated", turn_detection=MANUAL, session_type="transcription"))
        stage.mic.press()
        await stage.after(0.5)
        stage.mic.release()

    assert [APPEND, COMMIT] == ptt(script).types()


def test_push_to_talk_under_server_detection_sends_silence_between():
    """The server ends the turn by itself, and needs sound to flow for it."""

    async def script(stage):
        stage.mic.press()
        await stage.after(0.5)
        stage.mic.release()

    stage = ptt(script, turn_detection={"type": "server_vad"})
    audio = stage.audio()
    assert [APPEND] == stage.types()
    assert (pytest.approx(2.5 * 24_000, abs=960), pytest.approx(0.5 * 24_000, abs=960)) == (
        len(audio),
        np.count_nonzero(audio),
    )


@pytest.mark.parametrize("method", ["press", "release"])
def test_an_open_microphone_has_no_key(method):
    """One sentence says how to get one."""
    with pytest.raises(HandlerError, match="make it with gate='push_to_talk'"):
        getattr(Stage().mic, method)()


def test_a_gate_that_does_not_exist_is_told():
    """With those that do."""
    with pytest.raises(HandlerError, match="no gate 'closed': give 'open' or 'push_to_talk'"):
        Stage(gate="closed")


def hooked(clock, mic, connection):
    """Receive with only a microphone hooked, until the connection ends."""

    async def main():
        with hook_handlers(connection, [mic.server_event_handler], [], clock=clock) as (keep_receiving, send):
            mic.register_send_with_handlers(send)
            await keep_receiving()

    fast_forward.run(main(), clock)


def test_a_failing_microphone_ends_keep_receiving():
    """With its own error and a note of whose it was."""

    class Broken:
        rate = 24_000

        async def frames(self):
            yield Frame(steady(20), 0.0)
            raise OSError("unplugged")

    clock = ManualClock()
    connection = FakeConnection({"type": "session.created", "session": {"type": "realtime"}})
    with pytest.raises(OSError, match="unplugged") as caught:
        hooked(clock, StreamMic(Broken(), clock=clock), connection)
    assert "in the background work 'StreamMic: read the microphone'" in caught.value.__notes__


def test_a_closed_connection_ends_streaming_and_closes_the_copy(tmp_path):
    """Nothing is left running, and the copy is whole."""

    class ClosesSoon(FakeConnection):
        async def send_raw(self, data):
            await super().send_raw(data)
            if len(self.sent) == 5:
                self.inbox.put_nowait(closed_by_server(1000))

    clock = ManualClock()
    connection = ClosesSoon({"type": "session.created", "session": {"type": "realtime"}})
    mic = StreamMic(MemoryMicrophone(clock), recording_path=tmp_path / "copy.wav", clock=clock)
    hooked(clock, mic, connection)
    with wave.open(str(tmp_path / "copy.wav")) as f:
        assert 5 * 480 == f.getnframes()
    assert (None, 5) == (mic._recording, len(connection.sent))


def test_every_event_passes():
    """The streamer only watches."""
    event = server("rate_limits.updated", rate_limits=[])
    assert (event, {}) == Stage().mic.server_event_handler(event, {}, None)


def test_a_key_released_twice_ends_one_turn():
    """Nor does a key that was never pressed."""

    async def script(stage):
        stage.mic.release()
        stage.mic.press()
        await stage.after(0.5)
        stage.mic.release()
        stage.mic.release()

    assert [APPEND, COMMIT, "response.create"] == ptt(script).types()


def test_a_key_pressed_before_the_session_asks_for_nothing():
    """What nobody listened to is no turn."""

    async def script(stage):
        stage.mic.press()
        stage.mic.release()
        stage.feed(session_event(turn_detection=MANUAL))
        await stage.after(1)

    stage = Stage(gate="push_to_talk")
    stage.run(script)
    assert [] == stage.types()


def test_a_lost_connection_ends_a_late_request_quietly():
    """keep_receiving tells it; the request is not a second failure."""

    async def script(stage):
        stage.mic.press()
        await stage.after(0.5)
        stage.mic.release()
        await stage.after(0.5)
        stage.send.refuse_with = ConnectionLost(1006)
        stage.feed(response_done("resp_0"))

    assert [APPEND, COMMIT] == ptt(script, before=[response_created("resp_0")]).types()
