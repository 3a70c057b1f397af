"""An assistant that talks for minutes beside an open microphone, and somebody who says a word; on a manual clock."""

import numpy as np
import pytest

from fake_devices import LATENCY_S, FakeSystem, Rig
from openai_realtime_api_utils.audio.anchor import Stamp
from openai_realtime_api_utils.audio.level import rms_dbfs
from openai_realtime_api_utils.host.wav_reader import read_wav
from openai_realtime_api_utils.ports import SpeechId
from openai_realtime_api_utils.simulator import questions

RATE = 24_000
ECHO_S = 0.08
STARTED_S = 2.0
"""How long the streams run before anything is said."""


def at_level(samples, dbfs=-22.6):
    """Return speech at a level, its pauses left out of account."""
    sound = samples.astype(float)
    return sound * 32_768 * 10 ** (dbfs / 20) / np.sqrt(np.mean(sound[np.abs(sound) > 50] ** 2))


def lower(samples, factor):
    """Return speech in another voice: slower, and deeper by as much."""
    return np.interp(np.arange(0, len(samples) - 1, factor), np.arange(len(samples)), samples)


def assistant(seconds):
    """Return the shipped sentences in two voices, with pauses of 0.3 and 0.8 s."""
    pauses = [np.zeros(round(s * RATE)) for s in (0.3, 0.8)]
    names = ("story", "sum", "time", "weather")
    said = [at_level(lower(read_wav(questions.path(name)), factor)) for factor in (0.8, 0.9) for name in names]
    once = np.concatenate([part for n, sentence in enumerate(said) for part in (sentence, pauses[n % 2])])
    return np.resize(once, round(seconds * RATE)).clip(-32_000, 32_000).astype(np.int16)


def ringing(rt60_s, seed=1):
    """Return what a room answers to one loud sample: the sample, and a ringing half as strong."""
    tail = np.arange(round(rt60_s * RATE))
    ring = np.random.default_rng(seed).standard_normal(len(tail)) * 10 ** (-3 * tail / len(tail))
    return np.concatenate(([1.0], 0.5 * ring / np.sqrt(np.sum(ring**2))))


class Talking(FakeSystem):
    """Be a room where one speech echoes, later or earlier as ``moved`` says for each second of it."""

    def __init__(self, clock, speech, reply, moved, noise_dbfs):
        super().__init__(clock)
        size = len(speech) + len(reply)
        whole = np.fft.irfft(np.fft.rfft(speech, size) * np.fft.rfft(reply, size), size)
        self.echoes = np.concatenate((whole / np.sqrt(np.sum(reply**2)), np.zeros(RATE)))
        self.moved, self.noise_dbfs = moved, noise_dbfs
        self.random = np.random.default_rng(3)
        self.looked_at = 0
        self.begins = None

    def heard_at(self, start, n, rate):
        heard = super().heard_at(start, n, rate) + self.random.normal(0, 32_768 * 10 ** (self.noise_dbfs / 20), n)
        blocks = self.output.sounded
        while self.begins is None and self.looked_at < len(blocks):
            if len(loud := np.flatnonzero(blocks[self.looked_at])):
                first = self.looked_at * self.output.block + int(loud[0])
                self.begins = self.output.opened + LATENCY_S + ECHO_S + first / rate
            self.looked_at += 1
        if self.begins is not None and (t := start - self.begins) > 0:
            first = round((t - self.output.late_s - self.moved(t)) * rate)
            heard += self.echoes[max(0, first) :][:n] if first >= 0 else 0.0
        return heard


class Conversation(Rig):
    """Hold an engine in a room where the assistant has begun to talk."""

    def __init__(self, seconds, *, reply=(1.0,), moved=lambda t: 0.0, strays=lambda t: 0.0, noise_dbfs=-70.0):
        super().__init__(echo="aec3", local_vad=True)
        speech = assistant(seconds)
        speech[: np.flatnonzero(speech)[0]] = 1  # the first sample is found by its not being silence
        self.system = Talking(self.clock, speech, np.asarray(reply), moved, noise_dbfs)
        self.engine.close()
        self.engine = type(self.engine)(self.memory, self.system, self.engine._options, self.clock)
        stream, opened = self.system.input, self.clock.now()
        told = stream.stamp_now
        stream.stamp_now = lambda: Stamp(told().time + strays(self.clock.now() - opened), told().sample)
        self.run(STARTED_S)
        playback = self.speaker.play(SpeechId("item"))
        playback.write(speech)
        playback.finish()
        self.begins = self.clock.now()

    def talk_begins(self, seconds):
        """Let time pass; return when talk began meanwhile, in seconds of the speech."""
        begins, seen = [], self.memory.header.talk_changes
        for _ in range(round(seconds * 100)):
            self.run(0.01)
            if self.memory.header.talk_changes != seen:
                seen = self.memory.header.talk_changes
                begins += [self.clock.now() - self.begins] if seen % 2 else []
        return begins


ROOMS = {
    "a quiet room": {},
    "a room that rings": {"reply": ringing(0.3)},
    "clocks that stray while the echo does not": {"strays": lambda t: -2e-4 * t},
    "an echo that drifts": {"moved": lambda t: 3e-4 * t},
    "an echo that drifts in a room that rings": {"moved": lambda t: -1e-4 * t, "reply": ringing(0.3)},
    "a sound server that slips": {"moved": lambda t: 0.003 * (t // 10)},
}


@pytest.mark.parametrize("room", ROOMS)
def test_nothing_that_the_assistant_says_is_taken_for_talk(room):
    """In a minute of it, after the first second."""
    conversation = Conversation(62, **ROOMS[room])
    conversation.talk_begins(1.3)
    assert [] == conversation.talk_begins(60)


@pytest.mark.parametrize("room", ["a quiet room", "a room that rings", "an echo that drifts"])
def test_a_word_over_the_assistant_is_heard(room):
    """As loud as its echo, 20 times: at least 19 within 0.4 s."""
    conversation = Conversation(65, **ROOMS[room])
    word = at_level(read_wav(questions.path("weather")))
    begins = np.flatnonzero(np.abs(word) > 300)[0]
    word = word[begins : begins + round(0.45 * RATE)].astype(np.int16)
    conversation.run(4)
    delays = []
    for trial in range(20):
        at = conversation.clock.now()
        conversation.system.say(word, at)
        heard = conversation.talk_begins(2.5 + 0.1 * (trial % 5))
        delays += [t + conversation.begins - at for t in heard[:1]]
    assert sum(delay <= 0.4 for delay in delays) >= 19


@pytest.mark.parametrize("room", ["clocks that stray while the echo does not", "an echo that drifts"])
def test_the_echo_is_taken_out_in_step(room):
    """By 55 dB at least, in the median second; the noise of this room is 67 dB below it."""
    conversation = Conversation(42, **ROOMS[room], noise_dbfs=-90.0)
    conversation.run(32)
    first = conversation.memory.header.records
    conversation.run(9)
    sound = np.concatenate([conversation.memory.record(first + n).samples for n in range(900)])
    assert np.median([rms_dbfs(sound[n : n + RATE]) for n in range(0, len(sound), RATE)]) < -22.6 - 55
