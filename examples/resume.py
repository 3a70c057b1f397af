"""Lose the connection in the middle of an answer, and go on: with no key, against the simulator."""

import asyncio

from openai import AsyncOpenAI

from openai_realtime_api_utils import GiveClientEventId, TrackConfig, TrackConversation, hook_middlewares, resume
from openai_realtime_api_utils.simulator import Faults, ScriptedEngine, serve

TEXT = {"type": "realtime", "output_modalities": ["text"]}


class TellEnds:
    """Tell when a response is done, and when a session was replaced."""

    def __init__(self):
        self.completed = asyncio.Event()

    def server_event_handler(self, event, metadata, connection):
        if event.type == "local.session_replaced":
            print(f"a new session after {event.gap_ms} ms: {event.reason}")
        elif event.type == "response.done":
            print(f"response {event.response.status}")
            if event.response.status == "completed":
                self.completed.set()
        return event, metadata


async def main():
    config, talk, ends = TrackConfig(), TrackConversation(), TellEnds()
    faults = Faults(close_at=("response.content_part.added", 1011), connections=1)
    async with (
        serve(lambda: ScriptedEngine(replies={"": "I am still here."}), faults=faults) as server,
        AsyncOpenAI(api_key="any", websocket_base_url=server.url) as client,
        resume(
            lambda: client.realtime.connect(model="gpt-realtime-2.1"), conversation=talk, config=config
        ) as connection,
        hook_middlewares(connection, [GiveClientEventId(), config, talk, ends]) as session,
    ):
        await session.send({"type": "session.update", "session": TEXT})
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Are you there?"}]}
        await session.send({"type": "conversation.item.create", "item": item})
        await session.send({"type": "response.create"})
        await ends.completed.wait()
    talk.print_conversation()


if __name__ == "__main__":
    asyncio.run(main())
