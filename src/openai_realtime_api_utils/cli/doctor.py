"""Be ``realtime doctor``: try the sound devices out, and say what to do about what was found."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..audio.echo_path import EchoPath, chirp, find
from ..audio.level import rms_dbfs
from ..clock import Clock, SystemClock
from ..host.host_audio import host_audio
from ..host.wav_reader import read_wav
from ..ports import SpeechId
from ..simulator import questions

if TYPE_CHECKING:
    from ..host.open_audio import HostAudio
    from ..ports import Samples

_QUIET_S = 1.0
_TAIL_S = 1.0
"""How long to listen on after a sound: longer than any loudspeaker and room hold it back."""
_CHIRPS = 4
_ADAPTING_S = 2.5
"""How much of the speech is for the canceller to adapt to; what comes later is measured."""
_GOOD_CANCELLING_DB = 20.0
_LOUD_ECHO_DB = 6.0
_SLOW_MS = 250.0
_NOISY_DBFS = -45.0


@dataclass(frozen=True)
class Findings:
    """Hold what was measured; None is "could not be found"."""

    microphone: str
    loudspeaker: str
    rate: int
    noise_dbfs: float
    round_trip_ms: float | None
    """From handing a sound over to hearing it back."""
    echo_db: float | None
    """How loud the loudspeaker is in the microphone, beside what was played."""
    cancelled_db: float | None
    """How much of it the canceller takes out, once it has adapted."""
    underruns: int
    overruns: int


def run_doctor(*, microphone: int | str | None, loudspeaker: int | str | None, as_json: bool) -> None:
    """Measure, and print findings and advice.

    Raises:
        RealtimeUtilsError: the devices cannot be opened.
    """

    def tell(what: str) -> None:
        if not as_json:
            print(what, flush=True)

    findings = asyncio.run(_measured(microphone, loudspeaker, tell))
    advice = advise(findings)
    if as_json:
        print(json.dumps({**asdict(findings), "advice": advice}, indent=1))
        return
    for line in (*describe(findings), "", *(advice or ["All is well."])):
        print(line)


def describe(findings: Findings) -> list[str]:
    """Return one line for each finding."""

    def told(value: float | None, unit: str) -> str:
        return "not found" if value is None else f"{value:.0f} {unit}"

    rows = {
        "microphone": findings.microphone,
        "loudspeaker": f"{findings.loudspeaker}, at {findings.rate} Hz",
        "background noise": told(findings.noise_dbfs, "dBFS"),
        "round trip": told(findings.round_trip_ms, "ms from handing sound over to hearing it back"),
        "echo": told(findings.echo_db, "dB beside what was played"),
        "echo cancelled by": told(findings.cancelled_db, "dB"),
        "lost": f"{findings.underruns} underruns, {findings.overruns} overruns",
    }
    return [f"{name:18} {value}" for name, value in rows.items()]


def advise(findings: Findings) -> list[str]:
    """Return one sentence for each thing that could be better."""
    advice: list[str] = []
    if findings.echo_db is None:
        advice.append(
            "The microphone does not hear the loudspeaker: with headphones that is right, and --no-echo-cancellation "
            "saves some work; otherwise see that neither is muted, and that they are the devices you meant."
        )
    elif findings.cancelled_db is None or findings.cancelled_db < _GOOD_CANCELLING_DB:
        advice.append("The echo is not cancelled well: turn the loudspeaker down, or use headphones.")
    if findings.echo_db is not None and findings.echo_db > _LOUD_ECHO_DB:
        advice.append("The loudspeaker is very loud in the microphone: turn one of them down, or move them apart.")
    if findings.round_trip_ms is not None and findings.round_trip_ms > _SLOW_MS:
        advice.append("The sound takes long: wireless devices and large sound-server buffers do that.")
    if findings.noise_dbfs > _NOISY_DBFS:
        advice.append("The background is noisy: move the microphone nearer, or turn its gain down.")
    if findings.underruns or findings.overruns:
        advice.append("Sound was lost while nothing else was going on: close other programs, or use another device.")
    return advice


async def _measured(
    microphone: int | str | None, loudspeaker: int | str | None, tell: Callable[[str], object]
) -> Findings:
    clock = SystemClock()
    tell("listening to the room ...")
    with host_audio(input=microphone, output=loudspeaker, echo=None, local_vad=False, clock=clock) as sound:
        noise = await _heard(sound, _wait(clock, _QUIET_S))
        tell("playing a chirp ...")
        probe = chirp(sound.speaker.rate)
        came_back, path = await _round_trip(sound, probe, clock)
        tell("playing speech, with its echo as it is ...")
        raw = await _heard(sound, _say(sound, clock))
        plain = sound.stats
    cancelled = None
    if path is not None:
        tell("playing speech, with its echo cancelled ...")
        with host_audio(input=microphone, output=loudspeaker, echo="aec3", local_vad=False, clock=clock) as sound:
            clean = await _heard(sound, _say(sound, clock))
        cancelled = _level_after_adapting(raw) - _level_after_adapting(clean)
    return Findings(
        microphone=plain.input,
        loudspeaker=plain.output,
        rate=plain.rate,
        noise_dbfs=round(rms_dbfs(noise), 1),
        round_trip_ms=None if came_back is None else round(came_back * 1000, 1),
        echo_db=None if path is None else round(path.gain_db, 1),
        cancelled_db=None if cancelled is None else round(cancelled, 1),
        underruns=plain.underruns,
        overruns=plain.overruns,
    )


async def _round_trip(sound: HostAudio, probe: Samples, clock: Clock) -> tuple[float | None, EchoPath | None]:
    """Play the chirp a few times; return the median of how long it took to be heard back, and how it came back."""
    found: list[tuple[float, EchoPath]] = []
    for attempt in range(_CHIRPS):
        handed_over = clock.now()
        recorded = await _heard(sound, _play(sound, probe, clock))
        path = find(probe, recorded)
        if path is not None and attempt > 0:  # the first sound after opening may come late, or not at all
            took = clock.now() - handed_over - (len(recorded) - path.delay) / sound.microphone.rate
            found.append((took, path))
    return sorted(found, key=lambda each: each[0])[len(found) // 2] if found else (None, None)


async def _heard(sound: HostAudio, meanwhile: Awaitable[Any]) -> Samples:
    """Return what the microphone hears while something goes on."""
    frames: list[Samples] = []

    async def listen() -> None:
        async with aclosing(sound.microphone.frames()) as hearing:
            async for frame in hearing:
                frames.append(frame.samples)  # noqa: PERF401 - what was heard stays when listening is cancelled

    async with asyncio.TaskGroup() as group:
        listening = group.create_task(listen())
        await meanwhile
        listening.cancel()
    return np.concatenate(frames) if frames else np.zeros(0, np.int16)


async def _say(sound: HostAudio, clock: Clock) -> None:
    speech = np.concatenate([read_wav(questions.path(name), rate=sound.speaker.rate) for name in ("story", "time")])
    await _play(sound, speech, clock)


async def _play(sound: HostAudio, samples: Samples, clock: Clock) -> None:
    playback = sound.speaker.play(SpeechId("doctor"))
    playback.write(samples)
    playback.finish()
    await _wait(clock, len(samples) / sound.speaker.rate + _TAIL_S)


async def _wait(clock: Clock, seconds: float) -> None:
    await clock.sleep_until(clock.now() + seconds)


def _level_after_adapting(samples: Samples) -> float:
    start = round(_ADAPTING_S * 24_000)
    return rms_dbfs(samples[start:])
