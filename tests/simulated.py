"""Drive a simulated session by hand: no event loop, no clock but a number, and an engine that answers at once."""

import base64
from collections import deque
from collections.abc import Iterable
from typing import Annotated, Any, get_args

import numpy as np
from openai.types.realtime import RealtimeServerEvent, RealtimeTranslationServerEvent
from pydantic import Field, TypeAdapter

from openai_realtime_api_utils.simulator.commands import (
    Command,
    Finished,
    For,
    Hear,
    Overheard,
    Think,
    Thought,
    Understand,
    Understood,
)
from openai_realtime_api_utils.simulator.engine import RATE, Call, Fail, Say
from openai_realtime_api_utils.simulator.opening import open_session
from openai_realtime_api_utils.simulator.synthetic import synthetic_speech
from openai_realtime_api_utils.simulator.vad import FRAME

CONVERSATION = TypeAdapter(Annotated[get_args(RealtimeServerEvent)[0], Field(discriminator="type")])
TRANSLATION = TypeAdapter(Annotated[get_args(RealtimeTranslationServerEvent)[0], Field(discriminator="type")])


def check_event(event: dict[str, Any]) -> None:
    """Fail unless the SDK has a type for this event and the event fits it."""
    is_translation = event["type"] in _ONLY_TRANSLATION or event.get("session", {}).get("type") == "translation"
    (TRANSLATION if is_translation else CONVERSATION).validate_python(event)


_ONLY_TRANSLATION = {
    "session.closed",
    "session.input_transcript.delta",
    "session.output_transcript.delta",
    "session.output_audio.delta",
}


class LoudVad:
    """Take whatever is loud for speech, so that tests can place turns to the frame."""

    def __init__(self) -> None:
        self._rest = np.zeros(0, np.int16)

    def judge(self, samples):
        stream = np.concatenate((self._rest, samples))
        whole = len(stream) // FRAME * FRAME
        self._rest = stream[whole:]
        return [float(np.abs(frame).max() > 1000) for frame in stream[:whole].reshape(-1, FRAME)]


def loud(seconds: float):
    return np.full(round(seconds * RATE), 8000, np.int16)


def quiet(seconds: float):
    return np.zeros(round(seconds * RATE), np.int16)


def append(samples) -> dict[str, Any]:
    return {"type": "input_audio_buffer.append", "audio": base64.b64encode(samples.tobytes()).decode()}


def user_says(text: str, **fields: Any) -> dict[str, Any]:
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    return {"type": "conversation.item.create", "item": item, **fields}


def update(**session: Any) -> dict[str, Any]:
    return {"type": "session.update", "session": {"type": "realtime", **session}}


class Wire:
    """Be the client and the engine of one session at once."""

    def __init__(
        self,
        replies: Iterable[Any] = (),
        *,
        hears: Iterable[str | Fail] = (),
        overhears: bool = False,
        answers: bool = True,
        vad: Any = LoudVad,
        kind: Any = "realtime",
        **session: Any,
    ) -> None:
        self.now = 100.0
        self.replies = deque(replies)
        self.hears = deque(hears)
        self.overhears = overhears
        self.answers = answers
        self.session: Any = open_session(kind, now=self.now, created_at=1_700_000_000, vad=vad, **session)
        self.events: list[dict[str, Any]] = []
        self.commands: list[Command] = []
        self.times: list[float] = []
        self.views: list[int | None] = []
        """The view that each event was for; None if it was for all."""
        self._pump()

    def send(self, *events: dict[str, Any], view: int = 0) -> list[dict[str, Any]]:
        """Send client events; return what comes back at once."""
        start = len(self.events)
        for event in events:
            self.session.receive(event, self.now, view)
            self._pump()
        return self.events[start:]

    def send_text(self, frame: str | bytes) -> list[dict[str, Any]]:
        start = len(self.events)
        self.session.receive_text(frame, self.now)
        self._pump()
        return self.events[start:]

    def hear(self, samples) -> None:
        self.session.hear(samples, self.now)
        self._pump()

    def dial(self, key: str) -> list[dict[str, Any]]:
        start = len(self.events)
        self.session.dial(key, self.now)
        self._pump()
        return self.events[start:]

    def feed(self, result: Any) -> list[dict[str, Any]]:
        start = len(self.events)
        self.session.feed(result, self.now)
        self._pump()
        return self.events[start:]

    def wait(self, seconds: float) -> list[dict[str, Any]]:
        """Let time pass; return what comes meanwhile."""
        start, end = len(self.events), self.now + seconds
        while (due := self.session.deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            self.session.advance(self.now)
            self._pump()
        self.now = end
        return self.events[start:]

    def speak(self, seconds: float = 1.0, silence: float = 1.0) -> list[dict[str, Any]]:
        """Say something and be silent again, frame by frame, in real time."""
        start = len(self.events)
        sound = np.concatenate((loud(seconds), quiet(silence)))
        for i in range(0, len(sound), FRAME):
            self.send(append(sound[i : i + FRAME]))
            self.wait(0.02)
        return self.events[start:]

    def commands_of(self, kind: type) -> list[Any]:
        return [command for command in self.commands if isinstance(command, kind)]

    def _pump(self) -> None:
        while ready := self.session.poll():
            for each in ready:
                if isinstance(each, dict | For):
                    view = each.view if isinstance(each, For) else None
                    self.events.append(each.event if isinstance(each, For) else each)
                    self.times.append(self.now)
                    self.views.append(view)
                else:
                    self.commands.append(each)
                    if self.answers:
                        self._carry_out(each)

    def _carry_out(self, command: Command) -> None:
        match command:
            case Hear() if self.overhears and self.hears and isinstance(self.hears[0], str) and self.hears[0]:
                if sum(c.item_id == command.item_id for c in self.commands_of(Hear)) == 1:
                    self.session.feed(Overheard(command.item_id, self.hears[0].split()[0]), self.now)
            case Understand():
                heard = self.hears.popleft() if self.hears else ""
                self.session.feed(Understood(command.item_id, heard), self.now)
            case Think():
                reply = self.replies.popleft() if self.replies else "Certainly."
                for each in [reply] if isinstance(reply, str | Say | Call | Fail) else reply:
                    thought = Say(each) if isinstance(each, str) else each
                    is_spoken = isinstance(thought, Say) and command.turn.modality == "audio"
                    samples = synthetic_speech(thought.text) if is_spoken else None
                    self.session.feed(Thought(command.response_id, thought, samples), self.now)
                self.session.feed(Finished(command.response_id), self.now)
            case _:
                pass


def types(events: Iterable[dict[str, Any]]) -> list[str]:
    """Return the types in order, a run of the same deltas as one."""
    result: list[str] = []
    for event in events:
        if not (event["type"].endswith(".delta") and result[-1:] == [event["type"]]):
            result.append(event["type"])
    return result


def of(events: Iterable[dict[str, Any]], event_type: str) -> list[dict[str, Any]]:
    return [event for event in events if event["type"] == event_type]


def only(events: Iterable[dict[str, Any]], event_type: str) -> dict[str, Any]:
    (event,) = of(events, event_type)
    return event
