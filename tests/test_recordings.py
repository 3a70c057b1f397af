"""Recorded sessions run through the middlewares, and end as their own events say.

``REALTIME_RECORDINGS`` names a folder of recordings: YAML files whose ``interactions`` are, in order of time, events
with ``kind: message``, ``direction: sent | received`` and ``data``. What is expected is read off a recording by rules
of this file's own, with none of the library's.
"""

import asyncio
import io
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from fakes import FakeConnection, closed_by_us
from openai_realtime_api_utils import hook_handlers
from openai_realtime_api_utils.middlewares import GiveClientEventId, PrintEvents, TrackConfig, TrackConversation
from openai_realtime_api_utils.state.usage import Usage, add

FOLDER = os.environ.get("REALTIME_RECORDINGS")
UNSET = "REALTIME_RECORDINGS is not set: it names the folder of the recorded sessions"

Interaction = tuple[bool, dict[str, Any]]
"""Whether the server sent it, and the event."""


def recorded(path: Path) -> list[Interaction]:
    """Return the events of a recording; none if it recorded something else than a socket."""
    interactions = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("interactions", [])
    return [(i["direction"] == "received", i["data"]) for i in interactions if i.get("kind") == "message"]


def all_recorded(folder: Path) -> dict[str, list[Interaction]]:
    """Return the events of every recording by its name."""
    return {path.stem: events for path in sorted(folder.glob("*.yaml")) if (events := recorded(path))}


RECORDINGS = all_recorded(Path(FOLDER)) if FOLDER else {}
NONE = pytest.param("none", marks=pytest.mark.skip(reason="there is no recorded session"))


async def replayed(interactions: list[Interaction], middlewares: list[Any]) -> list[dict[str, Any]]:
    """Run a recording through the middlewares, each event at its place; return what was sent."""
    handled: asyncio.Queue[Any] = asyncio.Queue()

    def tell(event, metadata, connection):
        handled.put_nowait(event)
        return event, metadata

    connection = FakeConnection()
    server = [m.server_event_handler for m in middlewares if hasattr(m, "server_event_handler")]
    client = [m.client_event_handler for m in middlewares]
    with hook_handlers(connection, [*server, tell], client) as (keep_receiving, send):
        receiving = asyncio.get_running_loop().create_task(keep_receiving())
        for is_servers, event in interactions:
            if not is_servers:
                await send(event)
                continue
            connection.inbox.put_nowait(event)
            waiting = asyncio.get_running_loop().create_task(handled.get())
            await asyncio.wait({receiving, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                waiting.cancel()
                break
        else:
            connection.inbox.put_nowait(closed_by_us())
        await receiving
    return connection.sent


def stated_order(events: list[dict[str, Any]]) -> list[str]:
    """Return the ids in the order in which the server says it added them, without those it deleted."""
    order: list[str] = []
    for event in events:
        if event["type"] == "conversation.item.added":
            previous = event.get("previous_item_id")
            after = order.index(previous) + 1 if previous in order else 0 if previous is None else len(order)
            order.insert(after, event["item"]["id"])
        elif event["type"] == "conversation.item.deleted":
            order.remove(event["item_id"])
    return order


def stated_items(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return every record of an item in the order in which the server sent them."""
    found = []
    for event in events:
        found += [event["item"]] if "item" in event else (event.get("response") or {}).get("output") or []
    return found


def stated_texts(events: list[dict[str, Any]]) -> dict[str, str]:
    """Return what the server last said that each item's text is, wherever it said so, but in pieces."""
    texts: dict[tuple[str, int], str] = {}
    for event in events:
        for item in stated_items([event]):
            for index, part in enumerate(item.get("content") or []):
                said = part.get("transcript") or part.get("text")
                if said:
                    texts[item["id"], index] = said
        if event["type"].endswith((".done", ".completed")) and "content_index" in event:
            said = event.get("transcript", event.get("text"))
            if said is not None:
                texts[event["item_id"], event["content_index"]] = said
    whole: dict[str, str] = {}
    for (item_id, _), said in sorted(texts.items()):
        whole[item_id] = f"{whole.get(item_id, '')} {said}".lstrip(" ") if said else whole.get(item_id, "")
    return whole


def sounds(value: Any) -> list[str]:
    """Return the longer base64 of sound in an event."""
    payload = value.get("audio") or (value.get("delta") if "output_audio.delta" in value["type"] else None)
    return [payload] if isinstance(payload, str) and len(payload) > 20 else []


def test_the_recordings_are_there():
    """Where a folder of recordings is named, it is there and holds some."""
    if FOLDER is None:
        pytest.skip(UNSET)
    assert Path(FOLDER).is_dir(), f"REALTIME_RECORDINGS={FOLDER} is not a folder (from {Path.cwd()})"
    assert RECORDINGS, f"REALTIME_RECORDINGS={FOLDER} holds no recorded session"


@pytest.mark.parametrize("name", RECORDINGS or [NONE])
async def test_a_recorded_session(name):
    """It raises nothing, and ends with the items, the order and the texts that the server stated."""
    interactions = RECORDINGS[name]
    received = [event for is_servers, event in interactions if is_servers]
    config, talk, lines, usage = TrackConfig(), TrackConversation(), io.StringIO(), [Usage()]

    class CountUsage:
        def server_event_handler(self, event, metadata, connection):
            usage[0] = add(usage[0], event)
            return event, metadata

        def client_event_handler(self, event, metadata, connection):
            return event, metadata

    everything = PrintEvents(lines, filter_server=lambda event: True, filter_client=lambda event: True)
    sent = await replayed(interactions, [GiveClientEventId(), config, talk, everything, CountUsage()])

    assert stated_order(received) == [item.id for item in talk.items]
    last = {item["id"]: item for item in stated_items(received)}
    texts = stated_texts(received)
    for item in talk.items:
        stated = last[item.id]
        assert (stated["type"], stated.get("role")) == (item.type, item.role)
        if stated.get("status") in ("completed", "incomplete"):
            assert stated["status"] == item.status
        assert texts.get(item.id, "") == item.text
        assert (stated.get("name"), stated.get("call_id"), stated.get("output")) == (
            item.name,
            item.call_id,
            item.output,
        )
        assert stated.get("arguments", "") == (item.arguments or "")
        assert stated.get("phase") == item.details.get("phase")

    done = [event["response"] for event in received if event["type"] == "response.done"]
    begun = {event["response"]["id"] for event in received if event["type"] == "response.created"}
    begun |= {event["response_id"] for event in received if event["type"].startswith("response.output_item.")}
    assert begun - {response["id"] for response in done} == set(talk.open_responses)
    made_by = {item["id"]: response["id"] for response in done for item in response["output"]}
    assert made_by == {item_id: talk.item(item_id).response_id for item_id in made_by}
    told = [response["usage"] for response in done if response.get("usage")]
    assert (len(told), sum(used["total_tokens"] for used in told)) == (
        usage[0].responses,
        usage[0].input_tokens + usage[0].output_tokens,
    )

    sessions = [event["session"] for event in received if event["type"] in ("session.created", "session.updated")]
    assert (sessions[-1] if sessions else None) == config.acknowledged

    given = [event for is_servers, event in interactions if not is_servers]
    assert given == [
        {k: v for k, v in event.items() if k != "event_id" or k in given[n]} for n, event in enumerate(sent)
    ]
    assert len(sent) == len({event["event_id"] for event in sent})
    assert len(interactions) == len(lines.getvalue().splitlines())
    assert [] == [sound for _, event in interactions for sound in sounds(event) if sound in lines.getvalue()]
