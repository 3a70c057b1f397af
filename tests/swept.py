"""Hold a conversation of three turns, one with a function, through faults of the simulator's connections.

By text, or by voice: the microphone sounds all the time, the server finds the turns, and the third question interrupts
the second answer. A person who gets no answer asks again, as people do; how often is part of what comes of it.
"""

from dataclasses import dataclass, field

import numpy as np

from exchange import Exchange, said, texts
from openai_realtime_api_utils import ManualClock, MemoryStore
from openai_realtime_api_utils.errors import ConnectionLost
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.middlewares import CallTools, interruptable_audio_player
from openai_realtime_api_utils.simulator import Call, ScriptedEngine
from simulated import loud, quiet
from talking import Talk, User

QUESTIONS = ["What is the weather?", "Thank you.", "Goodbye."]
ANSWERS = ["It is sunny.", "You said: Thank you.", "You said: Goodbye."]
STORY = " And so it goes on and on, until somebody has had enough of it." * 3
TEXT = {"type": "realtime", "output_modalities": ["text"], "instructions": "Be brief."}
VOICE = {
    "type": "realtime",
    "instructions": "Be brief.",
    "audio": {"input": {"transcription": {"model": "gpt-realtime-whisper"}}},
}
_LOOK_S = 0.25
_PATIENCE_S = 40.0
"""How long a person waits before asking again: longer than a dead connection goes unnoticed here."""
_LOUDNESS = 4_000
"""The n'th question is spoken n times as loud, so that the listener knows which one it is."""


@dataclass
class Held:
    """Be what came of it."""

    lives: int = 0
    """How many times a program had to begin; all but the first went on from the store."""
    asked: list[str] = field(default_factory=list)
    """The questions in the order in which they were asked."""
    asked_though_known: list[str] = field(default_factory=list)
    """Those that were asked again although the conversation held them."""
    done: dict[str, str] = field(default_factory=dict)
    """The items that handlers were told to be complete, and whose; those that were deleted since are not in it."""
    runs: list[str] = field(default_factory=list)
    """The ids of the calls that a function ran for."""


class Ears(ScriptedEngine):
    """Hear which question it is by its loudness."""

    def listen(self):
        return _Listening()


class _Listening:
    def __init__(self):
        self._loudest = 0
        self._told = False

    @property
    def _question(self):
        number = round(self._loudest / _LOUDNESS)
        return QUESTIONS[number - 1] if number else ""

    async def hear(self, samples):
        self._loudest = max(self._loudest, int(np.abs(samples).max(initial=0)))
        word = "" if self._told else self._question.split(" ")[0]
        self._told = self._told or bool(word)
        return word

    async def finish(self):
        return self._question

    async def drop(self):
        """Nothing is held."""


def spoken(number):
    """Return the sound of a question."""
    return np.concatenate((loud(1.2) // 8_000 * (_LOUDNESS * (number + 1)), quiet(0.5)))


def reply(turn):
    """Answer as the questions want it; the weather takes a function."""
    asking = [item for item in turn.items if item.get("role") == "user" or item["type"] == "function_call_output"]
    last = asking[-1] if asking else {"type": "message"}
    if last["type"] == "function_call_output":
        return f"It is {last['output']}."
    asked = " ".join(texts([last]))
    if "weather" in asked:
        return Call("weather", {"city": "Paris"})
    return f"You said: {asked}{STORY if 'Thank' in asked and turn.modality == 'audio' else ''}"


class Seen:
    """Note which items handlers are told of as complete."""

    def __init__(self, held):
        self._held = held

    def server_event_handler(self, event, metadata, _connection):
        if event.type == "conversation.item.done" and getattr(event.item, "status", None) != "incomplete":
            self._held.done[event.item.id] = getattr(event.item, "role", None) or event.item.type
        elif event.type == "conversation.item.deleted":
            self._held.done.pop(event.item_id, None)
        return event, metadata


class _Person:
    """Ask the questions, wait for the answers, and ask again."""

    def __init__(self, held, talk, user, clock):
        self._held, self._talk, self._user, self._clock = held, talk, user, clock

    @property
    def _is_over(self):
        return self._talk.session._receiving.done()

    def knows(self, number):
        """Tell whether the conversation holds the question."""
        return any(QUESTIONS[number] in item.text for item in self._talk.conversation.items if item.role == "user")

    def is_answered(self, number):
        """Tell whether the answer has come; the one that is interrupted needs but to sound."""
        is_cut_in = self._user is not None and number == 1
        for item in self._talk.conversation.items:
            if item.role == "assistant" and item.text.startswith(ANSWERS[number]):
                is_over = item.status == "completed" or item.response_id not in self._talk.conversation.open_responses
                return is_cut_in or (is_over and not self._is_speaking)
        return False

    @property
    def _is_speaking(self):
        return self._user is not None and self._user.player.is_speaking

    async def ask(self, number):
        """Ask until it is answered, three times at most; tell whether it was."""
        for attempt in range(4):
            if attempt or not self.knows(number):
                await self._say(number)
            until = self._clock.now() + _PATIENCE_S
            while self._clock.now() < until and not self._is_over:
                if self.is_answered(number):
                    await self._talk.wait(1.5)
                    return not self._is_over
                await self._talk.wait(_LOOK_S)
            if self._is_over:
                return False
        raise AssertionError(f"no answer to {QUESTIONS[number]!r}: {[i.text for i in self._talk.conversation.items]}")

    async def _say(self, number):
        if self.knows(number):
            self._held.asked_though_known.append(QUESTIONS[number])
        self._held.asked.append(QUESTIONS[number])
        if self._user is None:
            await self._talk.send(said(f"question_{len(self._held.asked)}", QUESTIONS[number]))
            await self._talk.send({"type": "response.create"})
        else:
            self._user.microphone.say(spoken(number))


class _Program:
    """Hold the conversation, program after program, over one exchange and one store."""

    def __init__(self, faults, *, by_voice):
        self.clock, self.held = ManualClock(), Held()
        engine = (Ears if by_voice else ScriptedEngine)(replies={"": reply}, clock=self.clock)
        self.exchange = Exchange(engine, self.clock, faults=faults, first_audio_s=0.1)
        self._store = MemoryStore()
        self._by_voice = by_voice

    async def run(self):
        """Return the last program's conversation."""
        for _ in range(3):
            talk = await self._live()
            if talk is not None:
                return talk
        raise AssertionError("the conversation ended for good")

    async def _live(self):
        talk = Talk(self.exchange, self.clock)
        tools = CallTools([weather], track_conversation=talk.conversation, on_call=[self._note], clock=self.clock)
        if not self._by_voice:
            return await self._talked(talk, None, [tools, Seen(self.held)])
        user = User(self.clock)
        with interruptable_audio_player(talk.config, talk.conversation, user.speaker, clock=self.clock) as iap:
            user.player = iap.audio_player
            return await self._talked(talk, user, [tools, Seen(self.held), iap, user.mic], heard=user.player)

    async def _talked(self, talk, user, hooked, **options):
        self.held.lives += 1
        try:
            async with talk.held(*hooked, store=self._store, dead_after_s=8, **options):
                person = _Person(self.held, talk, user, self.clock)
                if not talk.config.accepted:
                    await talk.send({"type": "session.update", "session": VOICE if self._by_voice else TEXT})
                await talk.wait(1)  # so that what a store held is seen
                for number in range(len(QUESTIONS)):
                    if not person.is_answered(number) and not await person.ask(number):
                        return None
                await talk.wait(1)
                return talk
        except ConnectionLost:
            return None

    def _note(self, record):
        if record.status == "running":
            self.held.runs.append(record.call_id)


async def weather(city: str) -> str:
    """Tell the weather."""
    return "sunny"


def hold(faults, *, by_voice=False):
    """Hold the conversation; return what came of it, the last program's conversation, and the last model's turn."""
    program = _Program(faults, by_voice=by_voice)
    talk = fast_forward.run(program.run(), program.clock)
    return program.held, talk, program.exchange.engine.turns[-1]
