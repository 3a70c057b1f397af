"""The host's devices on a real sound server: PulseAudio with null sinks, PortAudio, a process of its own."""

import asyncio
import gc
import json
import logging
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from benchmarks.ear import RATE, silent_inside_ms, sounding
from openai_realtime_api_utils.audio.level import rms_dbfs
from openai_realtime_api_utils.errors import DeviceError, HandlerError
from openai_realtime_api_utils.host import open_audio
from openai_realtime_api_utils.host.host_audio import host_audio
from openai_realtime_api_utils.host.wav_reader import read_wav
from openai_realtime_api_utils.ports import SpeechId
from openai_realtime_api_utils.simulator import questions

SECOND = 24_000


def tone(seconds, hz=440):
    return (8_000 * np.sin(2 * np.pi * hz * np.arange(round(seconds * SECOND)) / SECOND)).astype(np.int16)


def speak(sound, samples, *, finish=True):
    playback = sound.speaker.play(SpeechId("item"))
    playback.write(samples)
    if finish:
        playback.finish()
    return playback


async def until(condition, seconds=8.0):
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        await asyncio.sleep(0.02)


async def until_sounded(sound, seconds):
    """Wait until the loudspeaker has gone on by so much, be it silence."""
    end = sound.speaker.heard_to() + seconds * sound.stats.rate
    await until(lambda: sound.speaker.heard_to() >= end)


async def keep_busy(seconds):
    """Take the event loop's whole time, and the GIL."""
    filler = {"type": "x", "audio": "A" * 20_000}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        json.loads(json.dumps(filler))
        sum(range(40_000))
        await asyncio.sleep(0)


class Listening:
    """Read the microphone in the background."""

    def __init__(self, sound):
        self.frames = []
        self.late_s = []
        self._sound = sound

    async def __aenter__(self):
        self._task = asyncio.get_running_loop().create_task(self._read())
        return self

    async def __aexit__(self, *_):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _read(self):
        async for frame in self._sound.microphone.frames():
            self.frames.append(frame)
            self.late_s.append(time.monotonic() - frame.time - len(frame.samples) / SECOND)

    def samples(self):
        return np.concatenate([frame.samples for frame in self.frames])


async def test_speech_is_whole_and_the_microphone_arrives_while_the_loop_is_busy(card):
    """No hole in the sound, and no frame missing. A machine that starves the sound server gets another try."""
    for _ in range(3):
        with host_audio() as sound, card.listen() as ear:
            async with Listening(sound) as listening:
                await until(lambda listening=listening: len(listening.frames) > 70)  # the streams run by then
                speak(sound, tone(2))
                await keep_busy(2.4)
                frames = listening.frames
                await until_sounded(sound, 1.1)  # underruns are counted once a second
            starved = sound.stats.underruns + sound.stats.jumps
        if not silent_inside_ms(ear.samples) and not sound.stats.lost:
            break
        assert starved
    assert (0, 0) == (silent_inside_ms(ear.samples), sound.stats.lost)
    assert np.count_nonzero(sounding(ear.samples)) * 5 == pytest.approx(2_000, abs=15)
    gaps = np.diff([f.time for f in frames]) - [len(f.samples) / SECOND for f in frames[:-1]]
    assert np.abs(gaps).max() < 0.05
    assert len(listening.samples()) / SECOND > 3


async def test_a_cut_is_heard_at_once(card):
    """Silence at the loudspeaker within 60 ms; the benchmark says how soon, this that it works."""
    with host_audio() as sound, card.listen() as ear:
        playback = speak(sound, tone(5))
        await until(lambda: playback.heard().samples > SECOND // 2)
        cut_at = time.monotonic()
        playback.cancel()
        await until_sounded(sound, 0.3)
    last = (np.flatnonzero(sounding(ear.samples))[-1] + 1) * RATE // 200
    assert ear.time_of(last) - cut_at < 0.06


async def test_heard_is_what_was_heard(card):
    """Asked while it sounds, and compared with the recording of the sink."""
    noise = (np.random.default_rng(3).standard_normal(4 * SECOND) * 3_000).astype(np.int16)
    with host_audio() as sound, card.listen() as ear:
        playback = speak(sound, noise)
        await until(lambda: playback.heard().samples > SECOND)
        asked = []
        for _ in range(10):
            await until_sounded(sound, 0.1)
            asked.append((time.monotonic(), playback.heard().samples))
    errors_ms = [(heard - true_position(noise, ear, t)) / 24 for t, heard in asked]
    assert abs(np.median(errors_ms)) < 15


def true_position(noise, ear, t):
    """Find what was being sounded at a time, in the recording of it."""
    end = int(ear.index_at(t))
    piece = ear.samples[end - 4_800 : end : 2].astype(np.float64)
    size = 1 << (len(noise) + len(piece)).bit_length()
    match = np.fft.irfft(np.fft.rfft(noise.astype(np.float64), size) * np.conj(np.fft.rfft(piece, size)), size)
    return int(np.argmax(match[: len(noise)])) + len(piece)


async def test_the_microphone_does_not_hear_the_loudspeaker(card):
    """By at least 30 dB after two seconds; without cancelling it does."""
    voice = np.tile(read_wav(questions.path()), 8)[: 5 * SECOND]
    levels = {}
    for echo in ("aec3", None):
        with host_audio(echo=echo) as sound:
            async with Listening(sound) as listening:
                playback = speak(sound, voice)
                await until(lambda playback=playback: playback.heard().samples > 4.5 * SECOND)
                levels[echo] = rms_dbfs(listening.samples()[-2 * SECOND :])
    assert levels[None] > -45
    assert levels[None] - levels["aec3"] > 30


async def test_talk_holds_the_loudspeaker_although_the_program_stands_still(headset):
    """The engine hears it; the handlers are told when the program wakes, and speech goes on at the sample."""
    told = []
    with host_audio(echo=None) as sound, headset.listen() as ear:
        sound.local_vad.register_handler(told.append)
        playback = speak(sound, tone(5))
        await until(lambda: playback.heard().samples > 2 * SECOND)
        headset.say(read_wav(questions.path()))
        stalled_at = time.monotonic()
        while time.monotonic() < stalled_at + 1.2:  # nothing else runs on this loop
            pass
        heard = playback.heard().samples
        await until(lambda: told[:1] == [True])
        await until(lambda: playback.heard().samples == 5 * SECOND)
    start = int(ear.index_at(stalled_at + 0.9)) * 200 // RATE
    assert not sounding(ear.samples)[start : start + 20].any()
    assert heard < 3 * SECOND


async def test_an_engine_that_is_killed_is_started_again(card, caplog):
    """Speech goes on, the microphone too, and the user is told."""
    with host_audio() as sound, card.listen() as ear:
        async with Listening(sound) as listening:
            playback = speak(sound, tone(4))
            await until(lambda: playback.heard().samples > SECOND)
            before, first = len(listening.frames), sound.engine_pid
            os.kill(first, signal.SIGKILL)
            await until(lambda: playback.heard().samples == 4 * SECOND)
            assert len(listening.frames) > before + 50
        assert sound.engine_pid != first
        assert 1 == sound.stats.restarts
    assert np.count_nonzero(sounding(ear.samples)) * 5 == pytest.approx(4_000, abs=80)
    assert ["The sound engine died; it is started again, and what was being said goes on."] == [
        record.message for record in caplog.records if "died" in record.message
    ]


async def test_an_engine_that_hangs_is_ended_and_started_again(card, monkeypatch):
    """As it does in a call to a sound server that hangs."""
    monkeypatch.setattr(open_audio, "_HUNG_S", 1.0)
    with host_audio() as sound:
        playback = speak(sound, tone(2))
        await until(lambda: playback.heard().samples > SECOND // 2)
        os.kill(sound.engine_pid, signal.SIGSTOP)
        await until(lambda: playback.heard().samples == 2 * SECOND)
        assert 1 == sound.stats.restarts


async def test_a_suspended_loudspeaker_resumes_at_the_sample(card, caplog):
    """What is heard stands still, and then goes on."""
    with host_audio() as sound:
        async with Listening(sound) as listening:
            playback = speak(sound, tone(3))
            await until(lambda: playback.heard().samples > 1.2 * SECOND)
            card.control("suspend-sink", "spk", "1")
            await until(lambda: not sound.stats.is_running or sound.stats.reopenings)
            heard, frames = playback.heard().samples, len(listening.frames)
            await until(lambda: len(listening.frames) > frames + 25)
            still = playback.heard().samples
            card.control("suspend-sink", "spk", "0")
            await until(lambda: playback.heard().samples == 3 * SECOND)
            assert len(listening.frames) > frames + 50
    assert heard == pytest.approx(still, abs=1_200)
    assert any("stopped" in record.message for record in caplog.records)


async def test_a_sound_server_that_dies_and_returns_is_used_again(own_card, caplog):
    """Within 2 s of its return; nothing is lost of the speech, and silence flows from the microphone meanwhile."""
    with host_audio() as sound:
        async with Listening(sound) as listening:
            playback = speak(sound, tone(4))
            await until(lambda: playback.heard().samples > 1.5 * SECOND)
            own_card.kill()
            await until(lambda: not sound.stats.is_running)
            heard, frames = playback.heard().samples, len(listening.frames)
            await until(lambda: len(listening.frames) > frames + 30)
            assert heard == pytest.approx(playback.heard().samples, abs=1_200)
            own_card.start()
            returned = time.monotonic()
            await until(lambda: sound.stats.is_running)
            assert time.monotonic() - returned < 2.2
            await until(lambda: playback.heard().samples == 4 * SECOND)
    assert any("open again" in record.message for record in caplog.records)


async def test_engines_end_with_their_program(card):
    """On leaving the block, and when the program is killed."""
    with host_audio() as sound:
        pid = sound.engine_pid
    assert not os.path.exists(f"/proc/{pid}")  # noqa: PTH110
    program = (
        "import time\nfrom openai_realtime_api_utils import host_audio\n"
        "with host_audio() as sound:\n    print(sound.engine_pid, flush=True)\n    time.sleep(60)\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    pid = int(owner.stdout.readline())
    owner.kill()
    owner.communicate()
    await until(lambda: not os.path.exists(f"/proc/{pid}"))  # noqa: PTH110


@pytest.mark.parametrize(
    "device",
    ["", "portaudio.RATE = 44_100", "portaudio.RATE, portaudio._HARDWARE_CHANNELS = 48_000, range(2, 33)"],
    ids=["as it is", "44.1 kHz only", "48 kHz stereo only"],
)
def test_an_engine_in_a_thread_speaks_and_listens(card, device):
    """The fallback; the switch interval is short while it is open. In a process of its own: PortAudio stays there."""
    program = f"""
import asyncio, sys, numpy as np
from openai_realtime_api_utils import SpeechId, host_audio
from openai_realtime_api_utils.host import portaudio
{device}
async def main():
    before = sys.getswitchinterval()
    with host_audio(engine="thread") as sound:
        assert sys.getswitchinterval() == 0.001
        playback = sound.speaker.play(SpeechId("a"))
        playback.write(np.full(12_000, 5_000, np.int16))
        playback.finish()
        heard = 0
        async for frame in sound.microphone.frames():
            heard += len(frame.samples)
            if heard > 36_000 and playback.heard().samples == 12_000:
                break
    assert sys.getswitchinterval() == before
    print("well", sound.engine_pid)
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert ("well None\n", "") == (done.stdout, done.stderr)


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ({"input": "headset"}, "There is no microphone 'headset': choose one of 0 pulse; 1 default."),
        ({"output": 7}, "There is no loudspeaker 7: choose one of 0 pulse; 1 default."),
    ],
)
def test_a_device_that_is_not_there_is_told_with_those_that_are(card, choice, told):
    """One sentence, and the list."""
    with pytest.raises(DeviceError) as raised, host_audio(**choice):
        pass
    assert told == str(raised.value)
    assert ["pulse", "default"] == [device.name for device in raised.value.devices]


def test_without_a_sound_server_it_is_told(tmp_path, monkeypatch, capfd):
    """One sentence, and nothing of ALSA's own on the screen."""
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/nothing")
    monkeypatch.setenv("PULSE_RUNTIME_PATH", str(tmp_path))
    with pytest.raises(
        DeviceError, match=r"^There is no (microphone|loudspeaker): connect one, or start the sound server"
    ):
        with host_audio():
            pass
    assert ("", "") == capfd.readouterr()


def test_a_canceller_of_the_main_program_cannot_be_sent(card):
    """Said before anything is opened."""

    def mine(rate):
        return rate

    with pytest.raises(HandlerError, match="define its factory in a module of its own, or use engine='thread'"):
        with host_audio(echo=mine):
            pass


async def test_opening_and_closing_leaves_nothing_behind(card, caplog):
    """No descriptor, no process, no warning."""
    caplog.set_level(logging.WARNING)
    with host_audio():
        pass
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for _ in range(3):
        with host_audio() as sound:
            speak(sound, tone(0.1))
        del sound
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= before  # noqa: PTH208
    assert [] == caplog.records
