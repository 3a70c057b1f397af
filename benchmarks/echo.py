"""Measure echo cancelling: on PulseAudio null sinks with a rigid and a drifting path, and in a room in memory.

What the far end would have heard is written beside the results: the microphone before and after cancellation.
``ECHO_PARTS="room rigid drift stops"`` chooses among the four, which take 5 s, 5 min, 1 min and 1 min.
"""

import asyncio
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from benchmarks.figure import Figure
from benchmarks.sound_card import SoundCard, missing, sound_card
from benchmarks.sound_program import RATE, assistant, live, stop_word
from openai_realtime_api_utils import Aec3, ManualClock, Room, SpeechId, cancel_echo, host_audio
from openai_realtime_api_utils.audio.level import rms_dbfs
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.host.wav_writer import WavWriter

SHORT = bool(os.environ.get("BENCH_SHORT"))
TALK_S = 20.0 if SHORT else 300.0
DRIFT_S = 20.0 if SHORT else 60.0
STOPS = 2 if SHORT else 20
HERE = Path(__file__).parent
WITHIN_S = 0.4
PAUSE_DBFS = -50.0
"""A second of the microphone that is softer is a pause; there is nothing to take out."""


PARTS = tuple(os.environ.get("ECHO_PARTS", "room rigid drift stops").split())


def measure() -> Iterable[Figure]:
    """Measure in memory first, then on a sound card of its own, where there is one."""
    if "room" in PARTS:
        above = _above_the_noise_db()
        how = "room in memory, RT60 0.3 s, noise -60 dBFS, echo -6 dB, delay 80 ms: cleaned, from the fourth second on"
        yield Figure("echo.room_above_noise_db", above, "dB", 2, how)
    if (reason := missing()) is not None:
        print(f"echo: skipped on devices; {reason}", file=sys.stderr)
        return
    where = "PulseAudio null sinks, echo at 0 dB after 80 ms, loop busy, AEC3 in the engine's process; "
    where += "flite's rms, awb and slt, 18 sentences in turn with pauses of 0.25 and 1 s"
    if "rigid" in PARTS:
        with sound_card() as card:
            talk = asyncio.run(_talk(card, TALK_S, save=True))
        how = f"median over seconds of sound of microphone before to after, from the third on, {TALK_S:g} s of speech; "
        yield Figure(
            "echo.reduction_db", talk.reduction_db, "dB", 60, f"{how}{where}; {talk.notes}", more_is_better=True
        )
        how = (
            f"local VAD on {TALK_S:g} s of speech that nobody interrupts, after the first second; {where}; {talk.notes}"
        )
        yield Figure("echo.false_starts", talk.false_starts, "", 0, how)
    if "drift" in PARTS:
        with sound_card(drifts=True) as card:
            drift = asyncio.run(_talk(card, DRIFT_S))
        how = f"the same over {DRIFT_S:g} s, PulseAudio's loopback adjusting its rate; {drift.notes}"
        yield Figure("echo.reduction_drift_db", drift.reduction_db, "dB", 40, how, more_is_better=True)
    if "stops" in PARTS:
        with sound_card() as card:
            caught, delays = asyncio.run(_stops(card))
        how = f"'stop' at 0 dB to the echo, {STOPS} times, loudspeaker held within {WITHIN_S * 1000:g} ms of its onset "
        how += f"at the microphone: {', '.join(f'{d * 1000:.0f}' for d in sorted(delays))} ms; {where}"
        yield Figure("echo.stops_detected_of_20", caught * 20 / STOPS, "of 20", 19, how, more_is_better=True)


class _Talk:
    def __init__(self, reduction_db: float, false_starts: int, notes: str) -> None:
        self.reduction_db = reduction_db
        self.false_starts = false_starts
        self.notes = notes


async def _talk(card: SoundCard, seconds: float, *, save: bool = False) -> _Talk:
    """Speak for so long with the loop busy, and compare the microphone with what the engine makes of it."""
    voice = assistant(seconds)
    clean, starts = [], []
    with host_audio() as audio, card.listen("mic") as before:

        async def listen() -> None:
            async for frame in audio.microphone.frames():
                clean.append(frame)  # noqa: PERF401 - it is read while it grows

        task = asyncio.get_running_loop().create_task(listen())
        await asyncio.sleep(2.0)
        # Registering nothing: what is detected must not hold the speech.
        changes = audio._memory.header
        playback = audio.speaker.play(SpeechId("item"))
        playback.write(voice)
        playback.finish()
        started, seen = time.monotonic(), changes.talk_changes

        def each() -> None:
            nonlocal seen
            if changes.talk_changes != seen:
                seen = changes.talk_changes
                starts.append((time.monotonic() - started, seen % 2))

        await live("busy", seconds, each)
        task.cancel()
        stats = audio.stats
    raw = before.samples[::2]
    begin = started + 3.0
    after = _from(clean, begin)
    start = int(before.index_at(begin)) // 2
    length = min(len(after), len(raw) - start) // RATE * RATE
    seconds_of = [(raw[start + n : start + n + RATE], after[n : n + RATE]) for n in range(0, length, RATE)]
    reductions = [rms_dbfs(near) - rms_dbfs(clean) for near, clean in seconds_of if rms_dbfs(near) > PAUSE_DBFS]
    if save:
        for name, samples in (("before", raw[start:]), ("after", after)):
            with WavWriter(HERE / f"echo-{name}.wav", RATE) as writer:
                writer.write(samples)
    sounds = float(np.flatnonzero(np.abs(voice) > 500)[0]) / RATE
    false = [t for t, on in starts if on and t > sounds + 1.0]
    notes = f"false starts at {', '.join(f'{t:.0f}' for t in false) or 'no'} s; least second {min(reductions):.0f} dB, "
    notes += f"{stats.slips} slips, {stats.resets} resets, {stats.jumps} jumps, {stats.underruns} underruns, "
    notes += f"{stats.reopenings} reopenings"
    return _Talk(float(np.median(reductions)), len(false), notes)


def _from(frames: list, begin: float) -> np.ndarray:
    """Return the sound of frames from a time on."""
    return np.concatenate([frame.samples for frame in frames if frame.time >= begin])


async def _stops(card: SoundCard) -> tuple[int, list[float]]:
    """Say "stop" while the assistant speaks, and see when the loudspeaker is held."""
    word = stop_word()
    held: list[float] = []
    delays: list[float] = []
    with host_audio() as audio, card.listen("inj.monitor") as said:
        playback = audio.speaker.play(SpeechId("item"))
        playback.write(assistant(STOPS * 3.0 + 10))

        def tell(is_talking: bool) -> None:
            if is_talking:
                held.append(time.monotonic())

        async def listen() -> None:
            async for _ in audio.microphone.frames():
                pass

        task = asyncio.get_running_loop().create_task(listen())
        audio.local_vad.register_handler(tell)
        await live("busy", 5.0)
        for _ in range(STOPS):
            card.say(word)
            await live("busy", 2.5 + 0.1 * (len(delays) % 5))
        task.cancel()
    loud = np.flatnonzero(np.abs(said.samples) > 200)
    gaps = np.flatnonzero(np.diff(loud) > 24_000)
    onsets = [said.time_of(float(loud[0])), *(said.time_of(float(loud[n + 1])) for n in gaps)]
    for onset in onsets:
        # The injected voice takes another 20 ms through the server's loopback into the microphone.
        at_microphone = onset + 0.02
        after = [t - at_microphone for t in held if -0.05 < t - at_microphone < 1.0]
        delays += after[:1]
    return sum(delay <= WITHIN_S for delay in delays), delays


def _above_the_noise_db() -> float:
    """Return how far above the noise of a room in memory its cleaned microphone is."""
    clock = ManualClock()
    noise_dbfs, seconds = -60.0, 15.0

    async def main() -> np.ndarray:
        room = Room(clock, delay_ms=80, gain=0.5, noise=10 ** (noise_dbfs / 20), rt60_s=0.3)
        playback = room.speaker.play(SpeechId("item"))
        playback.write(assistant(seconds))
        heard = []
        async for frame in cancel_echo(room.microphone, room.speaker, Aec3(RATE)).frames():
            heard.append(frame.samples)
            if clock.now() >= seconds:
                break
        return np.concatenate(heard)

    clean = fast_forward.run(main(), clock)
    return rms_dbfs(clean[4 * RATE :]) - noise_dbfs
