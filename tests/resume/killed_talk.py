"""Be a program that talks and is killed: ``python killed_talk.py STORE URL|PATH TURNS LIFE``.

It prints each item that is complete and written, each call as its function begins, and at last all items.
"""

import sys

from openai_realtime_api_utils import FileStore, ManualClock, RedisStore
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.middlewares import CallTools
from openai_realtime_api_utils.simulator import Call, ScriptedEngine
from talking import TEXT, Exchange, Talk


def store_of(kind, where, clock):
    return FileStore(where, clock=clock) if kind == "file" else RedisStore(where, "killed", clock=clock)


def tell(line):
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def weather(city: str) -> str:
    """Tell the weather."""
    return "sunny"


def reply(turn):
    """Answer; the weather takes a function."""
    is_weather = "weather" in str(turn.items[-1].get("content"))
    return Call("weather", {"city": "Paris"}) if is_weather else f"answer to {len(turn.items)}"


class TellComplete:
    """Tell of each complete item as the next event comes: what came before that has been written."""

    def __init__(self):
        self._complete = []

    def server_event_handler(self, event, metadata, _connection):
        for item_id in self._complete:
            tell(f"complete {item_id}")
        self._complete.clear()
        if event.type == "conversation.item.done" and getattr(event.item, "status", None) != "incomplete":
            self._complete.append(event.item.id)
        return event, metadata


async def main(kind, where, turns, life, clock):
    exchange = Exchange(ScriptedEngine(replies={"": reply}), clock, seed=life * 100_000)  # ids of their own
    talk = Talk(exchange, clock)
    ran = [lambda record: tell(f"ran {record.call_id}") if record.status == "running" else None]
    tools = CallTools([weather], track_conversation=talk.conversation, on_call=ran, clock=clock)
    async with talk.held(tools, TellComplete(), store=store_of(kind, where, clock)):
        if not talk.config.accepted:
            await talk.send({"type": "session.update", "session": TEXT})
        for n in range(turns):
            done = talk.events.count("response.done")
            await talk.turn(f"weather {n}" if n % 2 else f"question {n}")
            await talk.events.until("response.done", done + 1 + n % 2)
        told = (f"{item.role or item.type}:{item.id}:{item.call_id}" for item in talk.conversation.items)
        tell(f"items {' '.join(told)}")


if __name__ == "__main__":
    clock = ManualClock()
    fast_forward.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), clock), clock)
