"""Send what a client sends: to the session that it concerns, and in the way that this session can take."""

from __future__ import annotations

from typing import Any, TypeAlias

from ..state.heard import heard_text
from ..state.reading import read_id, read_int
from ..state.restore import Restored, difference, restored
from .frames import translated
from .gap import Gap
from .line import Line
from .sessions import Sessions
from .views import detects_turns

_Event: TypeAlias = dict[str, Any]


async def send_now(sessions: Sessions, event: _Event) -> None:
    """Send an event in the way that its session can take."""
    event_type = event["type"]
    line = sessions.line
    if event_type.endswith("input_audio_buffer.append"):
        if event_type == "input_audio_buffer.append":
            note_sound(sessions, event)
        await line.send(event)
        return
    if sessions.draining is not None:
        line = line_for(sessions, event, sessions.draining)
    item_id = read_id(event, "item_id") or ""
    if event_type == "conversation.item.truncate" and (item_id in line.planting.there or not sessions.can_truncate):
        await retell(sessions, line, event)
        return
    if event_type == "conversation.item.delete":
        line.planting.forget(item_id)
    event = sessions.unanswered.sent(event)
    if event_type == "conversation.item.truncate":
        sessions.truncating = {event["event_id"]: event}
    if line.planting.server_ids:
        event = translated(event, {ours: theirs for theirs, ours in line.planting.server_ids.items()})
    await line.send(event)


def note_sound(sessions: Sessions, event: _Event) -> None:
    """Keep the sound that the user's turn is made of."""
    try:
        sessions.user_audio.append(event.get("audio") or "", detects_turns=detects_turns(sessions.config))
    except ValueError:
        return  # the server will say so


def line_for(sessions: Sessions, event: _Event, old: Line) -> Line:
    """Return the session that an event is about, while there are two."""
    if event["type"] == "response.cancel":
        response_id = read_id(event, "response_id")
        is_of_old = response_id in old.responses if response_id else not sessions.line.responses and bool(old.responses)
        return old if is_of_old else sessions.line
    item_id = read_id(event, "item_id")
    if event["type"] == "conversation.item.truncate" and item_id not in sessions.line.planting.there:
        item = sessions.conversation.item(item_id or "")
        if item is not None and item.response_id in old.responses:
            return old
    return sessions.line


async def retell(sessions: Sessions, line: Line, event: _Event) -> None:
    """Do what a truncation means to an item that holds text: put what was heard of it in its place."""
    item_id = read_id(event, "item_id") or ""
    item = sessions.conversation.item(item_id)
    if item is not None:
        words = item.told_heard_text
        if words is None:
            words = heard_text(item.text, read_int(event, "audio_end_ms") or 0, item.audio_ms)
        items = sessions.conversation.items
        index = next((n for n, other in enumerate(items) if other.id == item_id), None)
        creations: list[tuple[Restored, str | None]] = []
        if words and index is not None:
            place = items[index - 1].id if index else "root"
            said = [{"type": "output_text", "text": words}]
            one = Restored({"id": item_id, "type": "message", "role": "assistant", "content": said})
            creations.append((one, place))
        for planted in line.planting.plant([item_id], creations):
            await line.send(planted)
    sessions.ready.append(sessions.frames.truncated(event))
    sessions.news.set()


async def bring_up(sessions: Sessions, line: Line, gap: Gap, items: list[Any], *, appends: bool) -> None:
    """Give a session what of these items it does not hold yet, then send what waited."""
    if line.is_announced:
        if appends:
            wanted = await sessions.selection.wanted(sessions.user_audio.untranscribed, sessions.under_way)
            there = list(line.planting.there.values())
            deletions, creations = difference(there, wanted)
        else:
            deletions, creations = missing(line, items, sessions.user_audio.untranscribed)
        for event in line.planting.plant(deletions, creations):
            await line.send(event)
    await flush(sessions, line, gap)


async def flush(sessions: Sessions, line: Line, gap: Gap) -> None:
    """Send what waited, and what comes meanwhile, until nothing waits."""
    while True:
        while len(gap):
            event = gap.take()
            if event["type"] == "response.create":
                gap.again = None
            if sessions.draining is not None and waits(event):
                sessions.held.append(event)
            else:
                await send_now(sessions, event)
        again, gap.again = gap.again, None
        if again is None:
            break
        await send_now(sessions, again)
    if sessions.gap is gap:
        sessions.gap = None
    sessions.news.set()


def waits(event: _Event) -> bool:
    """Tell whether an event has to wait until the old session is done: it builds on what that one still says."""
    return event["type"] in ("conversation.item.create", "conversation.item.delete", "response.create")


def missing(
    line: Line, items: list[Any], user_audio: dict[str, str]
) -> tuple[list[str], list[tuple[Restored, str | None]]]:
    """Return what the session before made, or changed, since this one was given the conversation."""
    creations: list[tuple[Restored, str | None]] = []
    deletions: list[str] = []
    there = line.planting.there
    before: list[str] = []
    for one in restored(items, user_audio=user_audio):
        known = there.get(one.id)
        is_left_out = bool(there) and known is None and not before and not line.native
        if is_left_out:
            continue  # older than all that fits
        is_there = known is not None and known in (one.param, one.fallback)
        if not is_there and one.id not in line.native:
            if known is not None:
                deletions.append(one.id)
            creations.append((one, before[-1] if before else "root"))
        before.append(one.id)
    line.native.clear()
    return deletions, creations


async def send_all(line: Line, events: list[_Event]) -> None:
    """Send events to one session."""
    for event in events:
        await line.send(event)
