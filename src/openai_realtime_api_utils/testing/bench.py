"""Test a voice application: a scripted service, a room to talk in, a clock that jumps, and what came of it."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import pybase64
from websockets.exceptions import ConnectionClosed

from ..audio.stream_encoder import StreamEncoder
from ..host.fast_forward import JumpingClock
from ..simulator.engine import Listening
from ..simulator.fault_injection import Faults
from ..simulator.memory import connect, connect_translation
from ..simulator.prompter import Prompter
from ..simulator.scenario import Dialogue
from ..simulator.scripted import ScriptedEngine
from ..simulator.settings import Settings
from ..state.heard import heard_text
from ..tasks import TaskOwner
from .findings import Findings, joined
from .record import Record, Wire
from .room import RATE, TalkingRoom

if TYPE_CHECKING:
    from openai.resources.realtime.realtime import AsyncRealtimeConnection
    from openai.resources.realtime.translations.translations import AsyncTranslationsConnection

    from ..host.room import RoomMicrophone

_LOOK_S = 0.05
"""How often to look whether it is quiet."""
_INEXACT_S = 0.05
"""How much of a speech's end a resampler may keep, so that all of it counts as heard."""


class Realtime(Findings):
    """Be all that a test of a voice application needs. The pytest fixture ``realtime`` is one."""

    def __init__(
        self,
        *,
        delay_ms: float = 40.0,
        gain: float = 0.003,
        noise: float = 0.0,
        settings: Settings | None = None,
        faults: Faults | None = None,
    ) -> None:
        """Set up a test.

        Args:
            delay_ms: how much later the room's microphone hears its loudspeaker.
            gain: how loud it hears it, as a factor. By default as little as a canceller leaves of it; 0.1 is a room
                without one, in which the assistant interrupts itself.
            noise: root mean square of the room's noise, as a part of full scale.
            settings: how the simulated service behaves.
            faults: what goes wrong on purpose, in every session.
        """
        self.clock = JumpingClock()
        """What everything waits on; give it to whatever takes a ``clock``."""
        self.dialogue = Dialogue()
        """What the model answers."""
        self.room = TalkingRoom(self.clock, delay_ms=delay_ms, gain=gain, noise=noise, plug_in=self._plug_in)
        """Where the user speaks, and what the application listens to and speaks through."""
        self._settings = settings or Settings()
        self._faults = faults
        self._numbers = itertools.count()
        super().__init__(Record(self.clock))
        self._open: list[_Session] = []
        self._told_unanswered = 0

    @asynccontextmanager
    async def connect(
        self, *, model: str | None = None, extra_query: Mapping[str, object] | None = None, **_sdk_options: Any
    ) -> AsyncGenerator[AsyncRealtimeConnection]:
        """Open a session with the scripted service, in place of ``client.realtime.connect``.

        If the application has not opened the room's microphone when something is said, it is plugged into the session.

        Args:
            model: as in the SDK, whose other options are taken and mean nothing here.
            extra_query: ``{"intent": "transcription"}`` opens a transcription session.
        """
        wire = Wire()
        intent = extra_query.get("intent") if extra_query else None
        async with connect(
            self._engine(wire),
            kind="transcription" if intent == "transcription" else "realtime",
            model=model,
            settings=self._next_settings(),
            clock=self.clock,
            created_at=0,
            watch=lambda sender, frame: self._record.take(wire, sender, frame),
            faults=self._faults,
        ) as connection:
            with self._opened(wire, connection):
                yield connection

    @asynccontextmanager
    async def connect_translation(
        self, *, model: str | None = None, **_sdk_options: Any
    ) -> AsyncGenerator[AsyncTranslationsConnection]:
        """Open a translation session, in place of ``client.realtime.translations.connect``.

        The dialogue says what becomes of each phrase, and ``said`` what was said in translation.
        """
        wire = Wire(append="session.input_audio_buffer.append")
        async with connect_translation(
            self._engine(wire),
            model=model,
            settings=self._next_settings(),
            clock=self.clock,
            created_at=0,
            watch=lambda sender, frame: self._record.take(wire, sender, frame),
            faults=self._faults,
        ) as connection:
            with self._opened(wire, connection):
                yield connection

    def _engine(self, wire: Wire) -> _RoomEngine:
        return _RoomEngine(self.room, self.dialogue, self.clock, wire)

    def _next_settings(self) -> Settings:
        return replace(self._settings, seed=self._settings.seed + next(self._numbers))

    @contextmanager
    def _opened(self, wire: Wire, connection: AsyncRealtimeConnection | AsyncTranslationsConnection) -> Generator[None]:
        session = _Session(wire, connection, TaskOwner())
        self._open.append(session)
        try:
            yield
        finally:
            self._open.remove(session)
            session.tasks.close()

    async def quiet(self, for_s: float = 1.0, *, within_s: float = 120.0) -> None:
        """Wait until nobody speaks, nothing is under way, and nothing has happened for so long.

        Under way are what the user says, what still sounds in the room, responses that are not done, and functions
        that were called but not answered.

        Raises:
            AssertionError: it does not become quiet in that time, or something was said that the dialogue has no
                answer to.
        """
        __tracebackhide__ = True  # pytest shows the line of the test
        until, quiet_since = self.clock.now() + within_s, self.clock.now()
        while True:
            going_on = self._going_on()
            now = self.clock.now()
            if going_on:
                quiet_since = now
            self._raise_unanswered()
            if now - max(quiet_since, self._record.last_at) >= for_s:
                return
            if now >= until:
                what = ", ".join(going_on) or "events keep coming"
                raise AssertionError(f"It did not become quiet in {within_s:g} s of the clock: {what}.")
            await self.clock.sleep_until(now + _LOOK_S)

    def heard(self) -> str:
        """Return what the user heard of the assistant: the words whose sound has left the room's loudspeaker.

        Where nothing was played on that loudspeaker, it is all that the assistant said or wrote.
        """
        if not self.room.speaker.soundings:
            return self.said()
        speeches = [self._record.speeches.get(sounding.speech_id) for sounding in self.room.speaker.soundings]
        heard = [
            heard_text(speech.words, sounding.heard_s + _INEXACT_S * bool(sounding.heard_s), speech.seconds)
            for sounding, speech in zip(self.room.speaker.soundings, speeches, strict=True)
            if speech is not None
        ]
        return joined(heard)

    def understood(self) -> str:
        """Return what the service understood of what was said in the room."""
        return joined(self.room.understood)

    def close(self) -> None:
        """Give the event loop back its own time."""
        self.clock.release()

    def _going_on(self) -> list[str]:
        wires = [session.wire for session in self._open if not session.wire.is_over]
        open_calls = [call.name for wire in wires for call in wire.open_calls.values()]
        happening = {
            "the user speaks": self.room.is_user_speaking,
            "the service hears speech": any(wire.is_user_speaking for wire in wires),
            "a response is not done": any(wire.open_responses for wire in wires),
            f"nobody answered the call of {', '.join(open_calls)}": bool(open_calls),
            "the assistant speaks": any(sounding.is_audible for sounding in self.room.speaker.soundings),
        }
        return [what for what, is_so in happening.items() if is_so]

    def _raise_unanswered(self) -> None:
        __tracebackhide__ = True
        unanswered = self.dialogue.unanswered[self._told_unanswered :]
        self._told_unanswered += len(unanswered)
        if unanswered:
            raise AssertionError(f"The dialogue has no answer to {unanswered[0]!r}: add one with dialogue.on(...).")

    def _plug_in(self) -> None:
        """Stream the room's microphone, which the application leaves alone, to its latest session."""
        if not self._open:
            raise AssertionError("Nobody hears what is said in the room: open a session with realtime.connect() first.")
        session = self._open[-1]
        session.tasks.spawn(_stream(self.room.microphone, session), name="microphone of the room")


class _Session(NamedTuple):
    wire: Wire
    connection: AsyncRealtimeConnection | AsyncTranslationsConnection
    tasks: TaskOwner


async def _stream(microphone: RoomMicrophone, session: _Session) -> None:
    encoder = StreamEncoder(RATE)
    with suppress(ConnectionClosed):
        async with aclosing(microphone.frames()) as frames:
            async for frame in frames:
                encoder.use(session.wire.input_format)
                audio = pybase64.b64encode(encoder.process(frame.samples)).decode()
                await session.connection.send_raw(json.dumps({"type": session.wire.append, "audio": audio}))


class _RoomEngine(ScriptedEngine):
    """Answer from a dialogue, and understand what is said in a room."""

    def __init__(self, room: TalkingRoom, dialogue: Dialogue, clock: JumpingClock, wire: Wire) -> None:
        super().__init__({"": Prompter(dialogue.rules, dialogue.unanswered).answer}, clock=clock)
        self._room = room
        self._wire = wire

    def listen(self) -> Listening:
        return self._room.listen()

    async def close(self) -> None:
        """Note that the session is over: whatever it had open stays so."""
        self._wire.is_over = True
