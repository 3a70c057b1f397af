"""A connection that is dead is found; nothing that comes or waits is without a bound, and nothing of it is lost."""

import asyncio
import base64
import json

import pytest

from exchange import said
from fakes import closed_by_server
from talking import TEXT, by_hand, created, run, settled


def test_a_dead_connection_is_found():
    """It is open and takes what is sent, but answers nothing, not even when asked."""

    async def program(talk, service):
        async with talk.held(dead_after_s=12):
            await talk.send({"type": "input_audio_buffer.append", "audio": "AAAA"})
            await talk.wait(30)
            return talk, service, [c.kind for c in talk.changes]

    talk, service, kinds = by_hand(program, created())
    assert ["lost", "waiting", "restored"] == kinds[:3]
    assert 2 <= len(service.connections)
    assert "not even an answer" in talk.changes[0].reason


def test_a_quiet_connection_is_not_dead():
    """Nothing comes while nobody speaks, but the server answers when asked; nobody sees that."""

    async def program(talk, engine, exchange):
        async with talk.held(dead_after_s=12):
            await talk.send({"type": "session.update", "session": TEXT})
            await talk.events.until("session.updated")
            await talk.wait(600)
            return talk, exchange

    talk, exchange = run(program)
    assert 1 == len(exchange.connections)
    assert ["session.created", "session.updated"] == [event.type for event in talk.events.events]
    assert [] == talk.changes


@pytest.mark.parametrize(("every_s", "frames"), [(1.0, 100), (0.0, 3_000)])
def test_a_server_that_talks_on_instead_of_answering_is_taken_to_have_understood(every_s, frames):
    """However long, and however much it talks: the conversation goes on."""

    async def program(talk, service):
        async with talk.held():
            service.answer(type="conversation.item.added", item=said("item_1", "One.")["item"])
            await settled(talk)
            service.connections[0].inbox.put_nowait(closed_by_server(1011))
            await talk.wait(0.05)
            for _ in range(frames):
                service.answer(type="rate_limits.updated", rate_limits=[])
                if every_s:
                    await talk.wait(every_s)
            replaced = await talk.events.until("local.session_replaced")
            await talk.wait(1)
            return replaced.gap_ms, talk.events.count("rate_limits.updated")

    gap_ms, seen = by_hand(program, created())
    assert gap_ms <= 16_000
    assert frames == seen


def test_a_gap_is_bounded():
    """What is sent while there is no connection is kept up to a limit; the oldest is dropped."""

    async def program(talk, engine, exchange):
        async with talk.held(attempts=50, give_up_s=1e6):
            await talk.send({"type": "session.update", "session": TEXT})
            await talk.turn("One.")
            exchange.refusals = [ConnectionRefusedError("down")] * 20
            exchange.drop(1006)
            await talk.wait(0.5)
            for n in range(1_200):
                await talk.send(said(f"item_{n}", str(n)))
            await talk.events.until("local.session_replaced")
            await talk.events.until("conversation.item.done", 1_000)
            return exchange

    exchange = run(program, ["1"])
    created_ids = [e["item"]["id"] for e in exchange.received[-1] if e["type"] == "conversation.item.create"]
    assert "item_1199" == created_ids[-1]
    assert 1_002 == len(created_ids)


def test_frames_of_sound_pass_untouched():
    """What is not looked into is not even parsed: the very bytes arrive."""
    delta = {"type": "response.output_audio.delta", "item_id": "i", "delta": base64.b64encode(b"xyz").decode()}

    async def program(talk, service):
        from openai_realtime_api_utils.resume import resume

        async with resume(service.connect, conversation=talk.conversation, config=talk.config, clock=talk.clock) as c:
            frame = json.dumps(delta, indent=3).encode()
            service.connections[0].inbox.put_nowait(frame)
            first = await c.recv_bytes()
            return frame, first if b"delta" in first else await c.recv_bytes()

    frame, received = by_hand(program, created())
    assert frame == received


def test_recv_can_be_cancelled():
    """Nothing is lost when somebody stops waiting."""

    async def program(talk, service):
        from openai_realtime_api_utils.resume import resume

        async with resume(service.connect, conversation=talk.conversation, config=talk.config, clock=talk.clock) as c:
            await c.recv()
            waiting = asyncio.get_running_loop().create_task(c.recv())
            await settled(talk)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            service.answer(type="rate_limits.updated", rate_limits=[])
            return await c.recv()

    assert "rate_limits.updated" == by_hand(program, created()).type
