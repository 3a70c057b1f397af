"""A sound engine, the loudspeaker and the microphone on it, on a manual clock with fake devices."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fake_devices import LATENCY_S, Rig
from openai_realtime_api_utils.errors import AudioError, DeviceError
from openai_realtime_api_utils.host.engine import STEP_S, Engine
from openai_realtime_api_utils.host.engine_options import EngineOptions
from openai_realtime_api_utils.host.wav_reader import read_wav
from openai_realtime_api_utils.ports import SpeechId
from openai_realtime_api_utils.simulator import questions

SECOND = 24_000
FADE = 120 + 160  # 5 ms, and a block that the device may have taken meanwhile


def ramp(n, start=1):
    """Return samples of which each tells its place."""
    return np.arange(start, start + n, dtype=np.int16)


def speak(rig, samples, item="item_1", *, finish=True):
    playback = rig.speaker.play(SpeechId(item))
    playback.write(samples)
    if finish:
        playback.finish()
    return playback


def spoken_question():
    return read_wav(questions.path())


def test_speech_sounds_whole_and_once():
    """Every sample leaves, in order, with silence round it."""
    rig = Rig()
    rig.run(0.5)
    speak(rig, ramp(24_000))
    rig.run(1.5)
    sounded = rig.sounded()
    assert ramp(24_000).tolist() == sounded[sounded > 0].tolist()
    assert 24_000 == np.flatnonzero(sounded)[-1] - np.flatnonzero(sounded)[0] + 1


def test_it_starts_within_45_ms():
    """From the first write to the converter."""
    rig = Rig()
    rig.run(0.5)
    speak(rig, ramp(2_400))
    rig.run(0.045)
    assert rig.speaker.heard_to() > np.flatnonzero(rig.memory.tape.memory)[0] - 1


def test_speech_sounds_one_after_the_other():
    """A second stretch begins with the sample after the first, when that is finished."""
    rig = Rig()
    rig.run(0.5)
    first = speak(rig, ramp(2_400), finish=False)
    second = speak(rig, ramp(2_400, 5_001), "item_2")
    rig.run(0.05)
    first.finish()
    rig.run(0.3)
    sounded = rig.sounded()
    assert [*ramp(2_400), *ramp(2_400, 5_001)] == sounded[sounded > 0].tolist()
    assert (2_400, 2_400) == (first.heard().samples, second.heard().samples)


@pytest.mark.parametrize("after", [0.5 + n * 0.0025 for n in range(9)])
def test_a_cut_between_two_looks_of_the_engine_is_known_to_the_block(after):
    """Where the device is by then is told by the clock: silence comes at once, and what was heard is counted."""
    rig = Rig()
    rig.step_s = STEP_S
    rig.run(0.5)
    playback = speak(rig, np.full(48_000, 5_000, np.int16))
    rig.run(after)
    taken = np.count_nonzero(rig.sounded())
    heard = playback.cancel().samples
    rig.run(0.2)
    sounded = np.count_nonzero(rig.sounded())
    assert taken <= sounded <= taken + FADE
    assert sounded == pytest.approx(heard, abs=FADE)


def test_heard_is_what_the_converter_has_put_out():
    """Not what was written, nor what the device has taken."""
    rig = Rig()
    rig.run(0.5)
    playback = speak(rig, ramp(24_000))
    errors = []
    for _ in range(40):
        rig.run(0.02)
        out = rig.sounded()
        at_converter = out[: max(0, round((rig.clock.now() - rig.system.output.opened - LATENCY_S) * 24_000))]
        errors.append(playback.heard().samples - np.count_nonzero(at_converter))
    assert max(map(abs, errors)) <= 1


def test_writing_to_finished_speech_is_refused():
    """It is the caller's mistake, and told."""
    rig = Rig()
    playback = speak(rig, ramp(10))
    with pytest.raises(AudioError, match="write before finish"):
        playback.write(ramp(10))


def test_a_cut_is_silent_after_a_fade():
    """The device takes no more than a short fade; nothing of the rest ever sounds."""
    rig = Rig()
    rig.run(0.5)
    playback = speak(rig, np.full(24_000, 10_000, np.int16))
    rig.run(0.5)
    before = len(rig.sounded())
    heard = playback.cancel()
    rig.run(1)
    after = rig.sounded()[before:]
    assert 0 < np.count_nonzero(after) <= FADE
    assert np.abs(np.diff(after.astype(int))).max() < 200  # no click
    assert heard.samples == playback.heard().samples < 24_000
    assert heard.samples == np.count_nonzero(rig.sounded()[:before] == 10_000)


def test_what_waits_behind_a_cut_sounds_whole():
    """Cancelling one stretch takes nothing from the next."""
    rig = Rig()
    rig.run(0.5)
    first = speak(rig, np.full(24_000, 20_000, np.int16))
    speak(rig, ramp(2_400), "item_2")
    rig.run(0.3)
    first.cancel()
    rig.run(0.5)
    tail = rig.sounded()[-12_000:]
    assert ramp(2_400).tolist() == tail[(tail > 0) & (tail <= 2_400)][-2_400:].tolist()


def test_cancelling_a_queue_sounds_nothing_of_it():
    """As an interruption does: the first is cut, and the others before they began."""
    rig = Rig()
    rig.run(0.5)
    playbacks = [speak(rig, np.full(24_000, 1_000 * n, np.int16), f"item_{n}") for n in (1, 2, 3)]
    rig.run(0.3)
    heard = [playback.cancel().samples for playback in playbacks]
    rig.run(0.5)
    assert set(np.unique(rig.sounded())) <= set(range(1_001))
    assert heard[0] > 0
    assert [0, 0] == heard[1:]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(0.01, 0.2), st.floats(0.01, 0.2)), min_size=1, max_size=5))
def test_held_speech_goes_on_at_the_very_sample(holds):
    """However often it is held, every sample sounds once at its full level, but for the fades."""
    rig = Rig()
    rig.run(0.3)
    playback = speak(rig, ramp(24_000, 1_000))
    for talk, silence in holds:
        rig.run(talk)
        playback.hold()
        rig.run(silence)
        playback.go_on()
    rig.run(1.5)
    full = set(rig.sounded().tolist())
    missing = [n for n in range(1_000, 25_000) if n not in full]
    assert len(missing) <= len(holds) * 121  # the first 5 ms after each hold fade in
    assert 24_000 == playback.heard().samples


def test_speech_longer_than_the_tape_sounds_whole():
    """What has no room waits; the tape is used round and round."""
    rig = Rig()
    rig.run(0.3)
    playback = rig.speaker.play(SpeechId("long"))
    for _ in range(50):
        playback.write(np.full(24_000, 7, np.int16))
    playback.finish()
    rig.run(51)
    assert 50 * 24_000 == np.count_nonzero(rig.sounded()) == playback.heard().samples


def test_speech_that_ran_dry_goes_on_with_a_fade():
    """A hole is silence, and what comes after it is not lost."""
    rig = Rig()
    rig.run(0.3)
    playback = speak(rig, np.full(2_400, 9_000, np.int16), finish=False)
    rig.run(0.3)
    playback.write(np.full(2_400, 9_000, np.int16))
    rig.run(0.3)
    sounding = np.flatnonzero(rig.sounded())
    starts = [b for a, b in pairwise(sounding) if b - a > 1]
    assert 1 == len(starts)
    assert rig.sounded()[starts[0]] < 200
    assert 4_800 == playback.heard().samples == len(sounding)


def test_a_device_of_another_rate_is_resampled_to():
    """The loudspeaker takes 24 kHz whatever the device does, and heard is counted in what was written."""
    rig = Rig(rate=48_000)
    rig.run(0.5)
    playback = speak(rig, np.full(24_000, 9_000, np.int16))
    rig.run(1.5)
    assert np.count_nonzero(np.abs(rig.sounded()) > 4_000) == pytest.approx(48_000, abs=50)
    assert 24_000 == playback.heard().samples


def test_played_is_what_really_sounded():
    """Silence, then speech, up to now."""
    rig = Rig()
    rig.run(1)
    playback = speak(rig, ramp(12_000))
    rig.run(0.3)
    frame = rig.speaker.played(rig.clock.now() - 0.2)
    assert [playback.heard().samples, 4_800] == pytest.approx([frame.samples[-1], len(frame.samples)], abs=2)
    assert rig.clock.now() - 0.2 == pytest.approx(frame.time, abs=1e-3)


def test_an_xrun_shifts_what_is_heard_and_is_noticed():
    """150 ms in which the device took nothing: the position is right again within half a second."""
    rig = Rig()
    rig.run(1)
    playback = speak(rig, ramp(30_000))
    rig.run(0.3)
    rig.system.output.late_s = 0.15
    rig.run(0.7)
    truth = (rig.clock.now() - rig.system.output.opened - 0.15 - LATENCY_S) * 24_000
    begun = np.flatnonzero(rig.sounded())[0]
    assert playback.heard().samples == pytest.approx(truth - begun, abs=3)
    assert 1 == rig.memory.header.jumps


def test_the_microphone_delivers_every_sample_in_time():
    """Records follow each other, and each has the time at which it was said."""
    rig = Rig()
    rig.run(1)
    at = rig.clock.now() + 0.1
    rig.system.say(ramp(2_400), at)
    rig.run(0.5)
    times, sound = rig.recorded()
    assert np.allclose(np.diff(times[-100:]), 0.01)
    assert np.diff(times).max() < 0.0201
    assert ramp(2_400).tolist() == sound[sound > 0].tolist()
    assert at == pytest.approx(times[np.flatnonzero(sound)[0] // 240], abs=0.0101)


@pytest.mark.parametrize("part", ["output", "input"])
def test_a_device_that_stops_is_opened_again_and_speech_goes_on(part):
    """After half a second without a sample; the microphone is silent meanwhile, and nothing heard is said again."""
    rig = Rig()
    rig.run(2)
    playback = speak(rig, ramp(24_000))
    rig.run(0.4)
    heard = playback.heard().samples
    getattr(rig.system, part).is_frozen = True
    first = rig.system.output
    rig.run(0.7)
    assert ["stopped" in rig.notices[0], "open again" in rig.notices[1], 1] == [True, True, rig.system.looked_again]
    rig.run(2)
    again = rig.sounded()
    taken = np.concatenate(first.sounded)
    assert 24_000 == playback.heard().samples
    assert 24_000 == again.max()
    lost_or_repeated = int(again[again > 0][0]) - int(taken.max()) - 1
    assert -1_200 < lost_or_repeated <= 0  # what was on its way to the converter is said again, never skipped
    assert heard - 120 <= again[again > 0][0] or part == "input"
    times, _ = rig.recorded()
    assert max(b - a for a, b in pairwise(times)) < 0.025


def test_devices_that_do_not_come_back_are_tried_again():
    """The user is told once that it failed, and the microphone's silence flows on."""
    rig = Rig()
    rig.run(2)
    playback = speak(rig, ramp(24_000))
    rig.run(0.3)
    rig.system.output.die()
    rig.system.refusal = "There is no loudspeaker."
    rig.run(3)
    heard, records = playback.heard().samples, rig.memory.header.records
    rig.run(1)
    assert (heard, True) == (playback.heard().samples, rig.memory.header.records >= records + 99)
    assert 2 == len(rig.notices)
    rig.system.refusal = None
    rig.run(4)
    assert 24_000 == playback.heard().samples
    assert 1 == rig.memory.header.reopenings


def test_a_new_default_of_another_rate_goes_on_at_the_sample():
    """Headphones at 48 kHz after a loudspeaker at 24: what was laid is laid anew."""
    rig = Rig()
    rig.run(2)
    playback = speak(rig, np.full(48_000, 5_000, np.int16))
    rig.run(0.5)
    rig.system.output.die()
    rig.system.rate = 48_000
    heard = playback.heard().samples
    rig.run(3)
    assert 48_000 == rig.memory.header.rate
    assert 48_000 == playback.heard().samples
    said = np.count_nonzero(np.abs(rig.sounded()) > 2_000) / 2
    assert said == pytest.approx(48_000 - heard, abs=600)


def test_a_chosen_device_that_is_gone_gives_way_to_the_default():
    """Rather the machine's default than silence."""
    rig = Rig(output="headset")
    rig.run(2)
    rig.system.output.die()
    asked = rig.system.open
    rig.system.open = lambda **how: asked(**how) if how["output"] is None else refuse()

    def refuse():
        raise DeviceError("There is no loudspeaker 'headset'.")

    rig.run(0.5)
    assert ["headset", None] == [opening[0] for opening in rig.system.openings]


def test_an_engine_that_cannot_open_says_so_unless_it_takes_over():
    """At first it is an error; one that is started again waits."""
    rig = Rig()
    rig.engine.close()
    rig.system.refusal = "There is no microphone."
    with pytest.raises(DeviceError, match="no microphone"):
        Engine(rig.memory, rig.system, EngineOptions(echo=None, local_vad=False), rig.clock)
    rig.engine = Engine(rig.memory, rig.system, EngineOptions(echo=None, local_vad=False).again(), rig.clock)
    rig.run(1)
    rig.system.refusal = None
    rig.run(2)
    assert rig.engine.device_names == ("fake speaker", "fake mic")


def test_a_second_engine_goes_on_with_the_tape_of_a_dead_one():
    """Where it was heard last, with no help of the program."""
    rig = Rig()
    rig.run(2)
    playback = speak(rig, ramp(24_000))
    rig.run(0.4)
    first = rig.system.output
    first.is_closed = True  # the process died, and its streams with it
    rig.memory.header.head = int(rig.speaker.heard_to())
    rig.memory.header.is_running = 0
    heard = playback.heard().samples
    rig.engine = Engine(rig.memory, rig.system, EngineOptions(echo=None, local_vad=False).again(), rig.clock)
    rig.run(1.5)
    again = rig.sounded()
    assert heard + 1 == pytest.approx(int(again[again > 0][0]), abs=2)
    assert 24_000 == playback.heard().samples


def test_a_loudspeaker_that_runs_dry_often_gets_longer_blocks():
    """Once, and told."""
    rig = Rig()
    rig.run(2)
    for _ in range(3):
        rig.system.output.runs += 20
        rig.run(1)
    assert [20 / 3, 10] == [opening[2] for opening in rig.system.openings]
    assert "longer blocks" in rig.notices[0]
    for _ in range(5):
        rig.system.output.runs += 1
        rig.run(1)
    assert 2 == len(rig.system.openings)


def test_talk_silences_the_loudspeaker_while_the_program_stalls():
    """The engine does it by itself; when the program wakes, its handlers decide, and speech goes on at the sample."""
    rig = Rig(local_vad=True)
    told = []
    rig.vad.register_handler(told.append)
    rig.run(2)
    playback = speak(rig, np.full(6 * 24_000, 9_000, np.int16))
    rig.run(0.3)
    rig.program_stalls = True
    question = spoken_question()
    rig.system.say(question, rig.clock.now())
    rig.run(1.5)
    quiet = rig.sounded()[-12_000:]
    assert 0 == np.count_nonzero(quiet)
    assert [] == told
    rig.program_stalls = False
    rig.look()
    assert [True] == told[:1]
    rig.run(6)
    assert 6 * 24_000 == playback.heard().samples
    full = np.count_nonzero(rig.sounded() == 9_000)
    assert 6 * 24_000 - full < 121  # only the fade-in is not at its full level


def test_what_the_handlers_hold_stays_held():
    """The engine's own hold is over when they return; theirs is not."""
    rig = Rig(local_vad=True)
    rig.run(2)
    playback = speak(rig, np.full(3 * 24_000, 9_000, np.int16))
    rig.vad.register_handler(lambda is_talking: playback.hold() if is_talking else playback.go_on())
    rig.run(0.3)
    question = spoken_question()
    start = rig.clock.now()
    rig.system.say(question, start)
    rig.run(0.9)
    held = playback.heard().samples
    rig.run(0.3)
    assert held == playback.heard().samples
    rig.run(len(question) / 24_000 + 4)
    assert 3 * 24_000 == playback.heard().samples


def test_without_a_handler_talk_silences_nothing():
    """A program that does not listen is not held up."""
    rig = Rig(local_vad=True)
    rig.run(2)
    playback = speak(rig, np.full(24_000, 9_000, np.int16))
    rig.system.say(spoken_question(), rig.clock.now())
    rig.run(1.5)
    assert (24_000, 0) == (playback.heard().samples, rig.memory.header.holds)
    assert rig.memory.header.talk_changes > 0


def test_the_echo_is_taken_out():
    """From the second second of sound on; before, the microphone is silent."""
    rig = Rig(room=0.7, echo="aec3")
    rig.run(1)
    voice = np.tile(spoken_question(), 5)[: 24_000 * 8]
    speak(rig, voice)
    rig.run(8)
    _, sound = rig.recorded()
    rest = sound[24_000 * 5 : 24_000 * 8].astype(float)
    echo = 0.7 * voice[24_000 * 3 : 24_000 * 6].astype(float)
    reduction = 10 * np.log10(np.mean(echo**2) / max(np.mean(rest**2), 1e-3))
    assert reduction > 40
    assert 0 == np.count_nonzero(sound[24_000:30_000])


class Broken:
    """Cancel nothing, and fail after a while."""

    def __init__(self, rate):
        self.frames = 0

    def process(self, near, far):
        self.frames += 1
        if self.frames > 300:
            raise RuntimeError("out of order")
        return near


def test_a_canceller_that_fails_is_replaced_and_told_once():
    """By half duplex; the conversation goes on."""
    rig = Rig(echo=Broken)
    rig.run(2)
    speak(rig, np.full(4 * 24_000, 9_000, np.int16))
    rig.run(3)
    rig.system.say(np.full(24_000, 3_000, np.int16), rig.clock.now())
    rig.run(0.9)
    _, sound = rig.recorded()
    assert 0 == np.count_nonzero(sound[-12_000:])
    assert ["The echo canceller failed (RuntimeError: out of order); from here on the microphone is silent while the "
            "loudspeaker sounds (half duplex)."] == rig.notices  # fmt: skip
    assert 1 == rig.memory.header.is_half_duplex


def test_after_a_stream_jumped_nothing_is_taken_for_talk():
    """For a second: what comes through then may be echo."""
    rig = Rig(local_vad=True)
    rig.run(2)
    rig.system.output.late_s = 0.05
    rig.run(0.5)
    assert 1 == rig.memory.header.jumps
    rig.system.say(spoken_question()[: SECOND // 2], rig.clock.now())
    rig.run(0.9)
    deaf = rig.memory.header.talk_changes
    rig.run(1)
    rig.system.say(spoken_question(), rig.clock.now())
    rig.run(1)
    assert (0, True) == (deaf, rig.memory.header.talk_changes > 0)
