"""Choose where the user's voice comes from and where the assistant's goes: the host's devices, or files."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...clock import Clock
from ...errors import AudioError, MissingExtraError
from ...host.wav import WavMicrophone, WavSpeaker
from ...ports import Microphone, Speaker
from .microphone import PatientMicrophone
from .moments import Chose, Tell
from .options import DEFAULT_OUTPUT, TalkOptions

if TYPE_CHECKING:
    from ...host.open_audio import HostAudio

_ECHO = {
    "aec3": ("echo cancelling", "so that you can interrupt over loudspeakers"),
    "none": ("no echo cancelling", "--no-echo-cancellation: use headphones"),
}


@dataclass(frozen=True)
class Sound:
    """Hold the two ends of a conversation's sound."""

    microphone: Microphone
    speaker: Speaker
    recording: PatientMicrophone | None = None
    """The user, where a recording plays that part; None where a person does."""
    host: HostAudio | None = None
    """The host's devices, where they are used."""
    files: tuple[str, ...] = ()
    """What is written."""


def prepare(options: TalkOptions, clock: Clock, tell: Tell, stack: ExitStack) -> Callable[[], Sound]:
    """Choose the sound and check it; what is returned opens it, and is called when the server has answered.

    Devices are opened at once, for that takes a while; a file is not written before there is something to write.

    Raises:
        RealtimeUtilsError: what was asked for cannot be used.
    """
    why_files = _why_files(options)
    if why_files is None:
        try:
            sound = _open_devices(options, tell, stack)
        except (AudioError, MissingExtraError) as error:
            if options.microphone is not None or options.loudspeaker is not None or options.push_to_talk:
                raise
            why_files = str(error).rstrip(".")
        else:
            return lambda: sound
    recording = WavMicrophone(_recording(options, why_files, tell), clock=clock, then_silence=False)
    output = options.output or DEFAULT_OUTPUT
    why = "--output names it" if options.output else "the default; --output names another"

    def open_files() -> Sound:
        speaker = stack.enter_context(WavSpeaker(output, clock=clock))
        tell(Chose("loudspeaker", str(output), why))
        patient = PatientMicrophone(recording, clock)
        return Sound(patient, speaker, recording=patient, files=(str(output),))

    return open_files


def _why_files(options: TalkOptions) -> str | None:
    """Say why files are to stand in for devices; None if they are not."""
    if options.input is not None or options.output is not None:
        return "--input names it" if options.input else "--output asks for a file"
    return "--fast does not wait for people" if options.fast else None


def _open_devices(options: TalkOptions, tell: Tell, stack: ExitStack) -> Sound:
    from ...host.host_audio import host_audio

    host = stack.enter_context(
        host_audio(
            input=options.microphone,
            output=options.loudspeaker,
            echo="aec3" if options.echo_cancellation else None,
            local_vad=not options.push_to_talk,
        )
    )
    stats = host.stats
    default = "the default; --microphone and --loudspeaker name others"
    tell(Chose("microphone", stats.input, "--microphone names it" if options.microphone else default))
    tell(Chose("loudspeaker", stats.output, "--loudspeaker names it" if options.loudspeaker else default))
    which, why = _ECHO[stats.echo]
    tell(Chose("echo", which, why))
    return Sound(host.microphone, host.speaker, host=host)


def _recording(options: TalkOptions, why: str, tell: Tell) -> str:
    if options.input is not None:
        tell(Chose("microphone", str(options.input), why))
        return str(options.input)
    from ...simulator import questions

    said = " ".join(questions.QUESTIONS[questions.DEFAULT].sentences)
    tell(Chose("microphone", f'the shipped question "{said}"', why))
    return str(questions.path())
