"""Be a program that talks and is killed: ``python killed_talk.py STORE URL|PATH TURNS``; it prints each turn's end."""

import asyncio
import sys

from openai_realtime_api_utils import FileStore, ManualClock, RedisStore
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.simulator import ScriptedEngine
from talking import TEXT, Exchange, Talk


def store_of(kind, where, clock):
    return FileStore(where, clock=clock) if kind == "file" else RedisStore(where, "killed", clock=clock)


async def main(kind, where, turns, clock):
    engine = ScriptedEngine(replies={"question (\\d+)": lambda turn: f"answer to {len(turn.items)}", "": "yes"})
    talk = Talk(Exchange(engine, clock), clock)
    async with talk.held(store=store_of(kind, where, clock)):
        if not talk.config.accepted:
            await talk.send({"type": "session.update", "session": TEXT})
        for n in range(turns):
            await talk.turn(f"question {n}")
            sys.stdout.write(f"turn {len(talk.conversation.items)}\n")
            sys.stdout.flush()
            for _ in range(20):
                await asyncio.sleep(0)
        told = (f"{item.role}:{item.id}:{item.text}".replace(" ", "_") for item in talk.conversation.items)
        sys.stdout.write(f"items {' '.join(told)}\n")


if __name__ == "__main__":
    clock = ManualClock()
    fast_forward.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), clock), clock)
