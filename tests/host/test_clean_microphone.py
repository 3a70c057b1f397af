"""Microphones that are cleaned of the loudspeaker in the same room, on a manual clock."""

import logging

import numpy as np
import pytest

from openai_realtime_api_utils.audio.echo import Aec3
from openai_realtime_api_utils.audio.level import rms_dbfs
from openai_realtime_api_utils.clock import ManualClock
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.host.clean_microphone import cancel_echo, half_duplex
from openai_realtime_api_utils.host.memory import MemorySpeaker
from openai_realtime_api_utils.host.room import Room
from openai_realtime_api_utils.host.wav_reader import read_wav
from openai_realtime_api_utils.ports import Frame, SpeechId
from openai_realtime_api_utils.simulator import questions

SECOND = 24_000
NOISE = 10 ** (-70 / 20)
VOICE = read_wav(questions.path())


def listen(seconds, clean=lambda room: room.microphone, said=(), speech=None, **options):
    """Return the frames that a microphone in a room delivers while speech sounds and somebody says something."""
    clock = ManualClock(5.0)

    async def main():
        room = Room(clock, **{"delay_ms": 80, "gain": 0.5, "noise": NOISE, **options})
        if speech is not None:
            playback = room.speaker.play(SpeechId("item"))
            playback.write(speech)
            playback.finish()
        for samples in said:
            room.say(samples)
        frames, end = [], clock.now() + seconds
        heard = clean(room).frames()
        async for frame in heard:
            frames.append(frame)
            if clock.now() >= end - 1e-6:
                break
        await heard.aclose()
        return frames

    return fast_forward.run(main(), clock)


def samples(frames):
    return np.concatenate([frame.samples for frame in frames])


@pytest.mark.parametrize("rt60_s", [0.0, 0.3])
def test_cancelled_echo_is_near_the_noise_of_the_room(rt60_s):
    """Within 2 dB, once a second has been played."""
    speech = np.tile(VOICE, 6)[: 8 * SECOND]
    clean = samples(
        listen(8, lambda r: cancel_echo(r.microphone, r.speaker, Aec3(r.microphone.rate)), (), speech, rt60_s=rt60_s)
    )
    assert rms_dbfs(clean[4 * SECOND :]) < -70 + 2
    assert 0 == np.count_nonzero(clean[SECOND // 2 : SECOND])


def test_what_is_said_meanwhile_is_heard():
    """Not as it was, but to be understood; the echo alone would be 40 dB below."""
    speech = np.tile(VOICE, 6)[: 8 * SECOND]
    near = np.concatenate((np.zeros(5 * SECOND, np.int16), VOICE))
    clean = samples(listen(7, lambda r: cancel_echo(r.microphone, r.speaker, Aec3(r.microphone.rate)), [near], speech))
    assert rms_dbfs(clean[5 * SECOND : 6 * SECOND]) > rms_dbfs(clean[3 * SECOND : 4 * SECOND]) + 25


def test_half_duplex_is_silent_while_speech_sounds():
    """Silence, not nothing: frames flow; and what is said then is lost."""
    frames = listen(
        2,
        lambda r: half_duplex(r.microphone, r.speaker),
        [np.full(2 * SECOND, 1_000, np.int16)],
        np.full(SECOND, 5_000, np.int16),
        noise=0.0,
    )
    heard = samples(frames)
    assert 2 * SECOND == len(heard)
    assert 0 == np.count_nonzero(heard[: round(1.3 * SECOND)])
    assert 1_000 == heard[round(1.33 * SECOND) :].min()


class Uneven:
    """Deliver frames of odd lengths at another rate than the loudspeaker's."""

    rate = 16_000

    def __init__(self, clock):
        self.clock = clock

    async def frames(self):
        t = self.clock.now()
        for n in (123, 777, 160, 1, 2_000, 479):
            await self.clock.sleep_until(t + n / self.rate)
            yield Frame(np.full(n, 7, np.int16), t, lost=n == 160 and 5)
            t += n / self.rate


def test_frames_of_any_length_keep_their_samples_times_and_losses():
    """What does not fill 10 ms waits for the next."""
    clock = ManualClock(3.0)

    async def main():
        microphone = half_duplex(Uneven(clock), MemorySpeaker(clock, rate=48_000))
        return [frame async for frame in microphone.frames()]

    frames = fast_forward.run(main(), clock)
    assert 3_540 // 160 * 160 == len(samples(frames))
    assert {7} == set(samples(frames).tolist())
    assert 5 == sum(frame.lost for frame in frames)
    ends = [frame.time + len(frame.samples) / 16_000 for frame in frames]
    assert [frame.time for frame in frames[1:]] == pytest.approx(ends[:-1])


class Broken:
    def process(self, near, far):
        raise RuntimeError("out of order")


def test_a_canceller_that_fails_is_told_once_and_half_duplex_goes_on(caplog):
    """One sentence."""
    with caplog.at_level(logging.WARNING):
        heard = samples(
            listen(
                2,
                lambda r: cancel_echo(r.microphone, r.speaker, Broken()),
                [np.full(2 * SECOND, 1_000, np.int16)],
                np.full(SECOND, 5_000, np.int16),
                noise=0.0,
            )
        )
    assert [
        "The echo canceller failed (RuntimeError: out of order); from here on the microphone is silent while the "
        "loudspeaker sounds (half duplex)."
    ] == [record.getMessage() for record in caplog.records]
    assert 0 == np.count_nonzero(heard[:SECOND])
    assert 1_000 == heard[-1]
