"""Hold twenty conversations at once for minutes, in real time, over sockets whose connections go wrong all the time.

python -m benchmarks.soak_real [MINUTES]

Two in three go by text, with a function; the others by voice. Each new connection goes to one of a dozen servers, each
with faults of its own; some are also cut from outside. The exit code is 1 if a completed item was lost or is there
twice, a question has no answer, a function ran twice for a call, or memory grows.
"""

import argparse
import asyncio
import logging
import random
import sys
from asyncio.subprocess import PIPE
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from openai import AsyncOpenAI

from benchmarks.soak import growth, last_turns, resident_mb
from exchange import said
from openai_realtime_api_utils import FileStore, MemorySpeaker, SystemClock, TrackConversation
from openai_realtime_api_utils.errors import ConnectionLost
from openai_realtime_api_utils.middlewares import CallTools, interruptable_audio_player
from openai_realtime_api_utils.simulator import Faults, Settings, serve
from simulated import LoudVad
from swept import QUESTIONS, TEXT, VOICE, Ears, Seen, reply, spoken, weather
from talking import Talk, User

SESSIONS = 20
KEEP_ITEMS = 40
"""So few that every conversation holds them before the first third is over: what grows after that should not."""
PATIENCE_S = 45.0
"""How long a person waits before asking again."""
MOST_GROWTH_MB = 5.0
"""How much memory may grow after the first third: a quarter of a megabyte for each conversation."""
LINES = [
    Faults(seed=1, latency_s=0.05, jitter_s=0.05, reorder=0.3),
    Faults(seed=2, close_at=("response.created#3", 1011)),
    Faults(seed=3, close_at=("response.done#4", 1006), latency_s=0.02),
    Faults(seed=4, close_at=("response.output_item.added#5", 1001)),
    Faults(seed=5, close_at=("response.content_part.done#6", 1012)),
    Faults(seed=6, close_at=("conversation.item.added#30", 1005)),
    Faults(seed=7, half_open_at="response.created#5"),
    Faults(seed=8, stall=("response.created#2", 3)),
    Faults(seed=9, stall=("response.done#3", 25)),
    Faults(seed=10, duplicate=0.2, drop=0.05),
    Faults(seed=11, slow_read=0.004, fail_response=[3], rate_limit=[5]),
    Faults(seed=12, start_over=[2, 6], jitter_s=0.1),
    Faults(seed=13, refuse_handshake=503),
]


@dataclass
class Held:
    """Be one of the twenty conversations, and what came of it."""

    number: int
    done: dict[str, str] = field(default_factory=dict[str, str])
    """The items that handlers were told to be complete, and whose."""
    evicted: list[str] = field(default_factory=list[str])
    full_after_s: float | None = None
    """When it held as many items as it may keep."""
    asked: int = 0
    answered: int = 0
    runs: list[str] = field(default_factory=list[str])
    changes: Counter[str] = field(default_factory=Counter[str])
    problems: list[str] = field(default_factory=list[str])

    def check(self, talk: Talk) -> None:
        """Hold what was told to be complete against what is there."""
        ids = [*self.evicted, *(item.id for item in talk.conversation.items)]
        twice = [item_id for item_id, count in Counter(ids).items() if count > 1]
        lost = [f"{item_id} ({whose})" for item_id, whose in self.done.items() if item_id not in ids]
        ran_twice = [call for call, count in Counter(self.runs).items() if count > 1]
        for what, which in (("lost", lost), ("there twice", twice), ("ran twice", ran_twice)):
            self.problems += [f"{what}: {each}" for each in which]


class Person:
    """Ask and be answered, until the time is up."""

    def __init__(self, held: Held, talk: Talk, user: User | None, cut: Any) -> None:
        self._held, self._talk, self._user, self._cut = held, talk, user, cut
        self._chance = random.Random(held.number)

    async def talk_until(self, until: float) -> None:
        clock = self._talk.clock
        await self._talk.send({"type": "session.update", "session": TEXT if self._user is None else VOICE})
        while clock.now() < until and not self._held.problems:
            await self._turn()
            await self._talk.wait(self._chance.uniform(0.5, 4))
            if self._chance.random() < 0.1:
                self._cut()

    async def _turn(self) -> None:
        number = self._held.answered
        is_weather = number % len(QUESTIONS) == 0
        question = QUESTIONS[number % len(QUESTIONS)]
        if self._user is None and not is_weather:
            question = f"Question {number}."
        answer = "It is sunny." if is_weather else f"You said: {question}"
        for _ in range(3):
            await self._ask(question, number)
            until = self._talk.clock.now() + PATIENCE_S
            while self._talk.clock.now() < until:
                if self._is_answered(answer):
                    self._held.answered += 1
                    return
                await self._talk.wait(0.1)
        told = [(item.role or item.type, item.status, item.text) for item in self._talk.conversation.items[-5:]]
        self._held.problems.append(f"no answer to {question!r}: {told}")

    async def _ask(self, question: str, number: int) -> None:
        self._held.asked += 1
        if self._user is None:
            await self._talk.send(said(f"question_{self._held.number}_{self._held.asked}", question))
            await self._talk.send({"type": "response.create"})
        else:
            self._user.microphone.say(spoken(number % len(QUESTIONS)))

    def _is_answered(self, answer: str) -> bool:
        """Tell whether the answer came; a long one is interrupted by the next question."""
        last = next(reversed(self._talk.conversation.items), None)
        if last is None or last.role != "assistant" or not last.text.startswith(answer):
            return False
        is_long = len(last.text) > len(answer)
        is_over = last.status == "completed" or last.response_id not in self._talk.conversation.open_responses
        return is_over and (is_long or self._user is None or not self._user.player.is_speaking)


async def hold(held: Held, clients: list[AsyncOpenAI], until: float) -> None:
    """Hold one conversation."""
    clock, chance = SystemClock(), random.Random(held.number)
    began = clock.now()
    current: list[Any] = []

    @asynccontextmanager
    async def connect() -> Any:
        client = chance.choice(clients) if current else clients[0]
        async with client.realtime.connect(model="gpt-realtime-2.1") as connection:
            current[:] = [connection]
            yield connection

    def cut() -> None:
        current[0]._connection.transport.abort()

    def ran(record: Any) -> None:
        if record.status == "running":
            held.runs.append(record.call_id)

    talk = Talk(None, clock)
    talk.events.keeps = 50

    def evict(item: Any) -> None:
        held.evicted.append(item.id)
        held.full_after_s = held.full_after_s or clock.now() - began

    talk.conversation = TrackConversation(keep_items=KEEP_ITEMS, on_evicted=[evict])
    hooked: list[Any] = [CallTools([weather], track_conversation=talk.conversation, on_call=[ran]), Seen(held)]
    options: dict[str, Any] = {"connect": connect, "rollover_s": 90, "dead_after_s": 8, "attempts": 1_000}
    user = User(clock) if held.number % 3 == 2 else None
    with ExitStack() as stack:
        options["store"] = FileStore(Path(stack.enter_context(TemporaryDirectory())) / "talk.jsonl")
        if user is not None:
            user.speaker = MemorySpeaker(clock, keep_s=5)  # it remembers five minutes else, and fills for so long
            iap = interruptable_audio_player(talk.config, talk.conversation, user.speaker)
            playing = stack.enter_context(iap)
            user.player = options["heard"] = playing.audio_player
            hooked += [playing, user.mic]
        try:
            async with talk.held(*hooked, tell=lambda change: held.changes.update([change.kind]), **options):
                await Person(held, talk, user, cut).talk_until(until)
        except ConnectionLost as error:
            held.problems.append(f"it ended: {error}")
    held.check(talk)


async def soak(minutes: float, sessions: int = SESSIONS) -> tuple[list[Held], list[tuple[float, float]]]:
    """Hold them all; return what came of each, and memory as (hours, MB)."""
    clock = SystemClock()
    began = clock.now()
    curve: list[tuple[float, float]] = []

    async def watch() -> None:
        while True:
            curve.append(((clock.now() - began) / 3600, resident_mb()))
            await clock.sleep_until(clock.now() + 5)

    all_held = [Held(n) for n in range(sessions)]
    async with AsyncExitStack() as stack:
        urls = await stack.enter_async_context(served_elsewhere())
        clients = [AsyncOpenAI(api_key="any", websocket_base_url=url) for url in urls]
        for client in clients:
            await stack.enter_async_context(client)
        watching = asyncio.create_task(watch())
        await asyncio.gather(*(hold(held, clients, began + minutes * 60) for held in all_held))
        watching.cancel()
    return all_held, curve


@asynccontextmanager
async def served_elsewhere() -> AsyncGenerator[list[str]]:
    """Run the servers in a process of their own, so that their memory is not taken for the library's; yield the URLs.

    Connections that are half open live on there, as they are meant to, for an hour.
    """
    command = [sys.executable, "-m", "benchmarks.soak_real", "--serve"]
    root = Path(__file__).parent.parent
    process = await asyncio.create_subprocess_exec(*command, cwd=root, stdin=PIPE, stdout=PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().split()
    finally:
        process.stdin.close()
        await process.wait()


async def serve_all() -> None:
    """Serve, print the URLs, and end when the input does."""
    async with AsyncExitStack() as stack:
        for faults in LINES:
            server = await stack.enter_async_context(
                serve(
                    lambda: last_turns(Ears(replies={"": reply})),
                    settings=Settings(seed=1_000 * faults.seed),  # no two servers give the same ids
                    vad=LoudVad,
                    faults=faults,
                )
            )
            sys.stdout.write(f"{server.url} ")
        sys.stdout.write("\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


def main() -> int:
    """Hold them, print what came of them; return 1 if something went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minutes", type=float, nargs="?", default=10.0)
    parser.add_argument("--serve", action="store_true", help="be the servers")
    given = parser.parse_args()
    logging.getLogger("openai_realtime_api_utils").setLevel(logging.ERROR)  # faults are what is asked for
    if given.serve:
        asyncio.run(serve_all())
        return 0
    all_held, curve = asyncio.run(soak(given.minutes))
    changes = sum((held.changes for held in all_held), Counter[str]())
    problems = [f"conversation {held.number}: {problem}" for held in all_held for problem in held.problems]
    full_s = [given.minutes * 60 if held.full_after_s is None else held.full_after_s for held in all_held]
    if max(full_s) > given.minutes * 60 / 3:
        problems.append(f"{KEEP_ITEMS} items were not held by all within the first third: {max(full_s):.0f} s")
    grown = growth(curve) * given.minutes / 60 * 2 / 3
    if grown > MOST_GROWTH_MB:
        problems.append(f"memory grew by {grown:.1f} MB after the first third; {MOST_GROWTH_MB:g} MB are allowed")
    asked, answered = sum(held.asked for held in all_held), sum(held.answered for held in all_held)
    print(
        f"{len(all_held)} conversations, {given.minutes:g} minutes: {answered} turns answered, {asked} asked, "
        f"{sum(len(held.done) for held in all_held)} items, {sum(len(held.runs) for held in all_held)} calls; "
        f"{changes['lost']} connections lost, {changes['rotated']} left in time; "
        f"{KEEP_ITEMS} items held by each after {max(full_s):.0f} s; "
        f"memory {curve[0][1]:.0f} to {curve[-1][1]:.0f} MB, {grown:+.1f} MB after the first third"
    )
    print("\n".join(problems) or "nothing lost, nothing there twice")
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
