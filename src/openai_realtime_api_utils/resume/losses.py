"""Make good the loss of a connection, and hand over from one session to the next."""

from __future__ import annotations

import logging
from typing import Any, TypeAlias

from ..errors import ConnectionLost, ResumeError
from ..events.redact import redact_text, visible
from ..state.microphone_gap import MicrophoneGap
from ..state.reading import read_int
from ..state.restore import is_torso
from ..state.unanswered import is_apart
from .gap import Gap
from .line import Line
from .opening import Change, backoff_s, is_final
from .outgoing import bring_up, flush
from .owing import is_first_time, owed, whole_calls
from .priming import prime
from .sessions import Sessions
from .views import answers_by_itself

_logger = logging.getLogger(__name__)

_Event: TypeAlias = dict[str, Any]

_STABLE_S = 10.0
"""A connection that is lost sooner counts as one more attempt: so a server that fails at once is not stormed."""


async def prime_line(sessions: Sessions, line: Line) -> None:
    """Give a new session the configuration and the conversation.

    Raises:
        ConnectionLost: it ended meanwhile.
    """
    wanted = await sessions.selection.wanted(sessions.user_audio.untranscribed, sessions.under_way)
    await prime(line, sessions.configuration, wanted, sessions.clock)


def lost(sessions: Sessions, line: Line, error: Exception) -> None:
    """Begin the gap: the connection has ended, and all that came has been handled."""
    closing = line.closing
    if closing is None or is_final(error, sessions.last_code):
        sessions.fail(error)
        return
    is_mid_turn = bool(line.responses) or sessions.user_audio.is_speaking
    if closing.is_orderly and not is_mid_turn:
        sessions.end = error
        return
    reason = f"closed with code {closing.code}: {visible(redact_text(closing.reason)) or 'no reason'}"
    _logger.warning("The connection was lost (%s); it is opened again.", reason)
    sessions.tell(Change("lost", reason))
    is_speaking = sessions.is_user_speaking
    again = None if is_speaking else owed(sessions, line)
    unfinished = sessions.user_audio.take_unfinished()
    microphone = MicrophoneGap(
        sessions.policy, unfinished, is_speaking=is_speaking, audio_format=sessions.config.audio_format_input
    )
    gap = Gap(microphone, began_at=sessions.clock.now())
    if sessions.gap is not None:  # lost before all that waited was sent
        for event in sessions.gap.take_all():
            gap.put(event)
        again, sessions.gap.again = again or sessions.gap.again, None
    gap.again = again
    sessions.gap = gap
    if sessions.draining is not None:
        fail_responses(sessions, sessions.draining, reason)
        sessions.drop_line(sessions.draining)
        sessions.draining = None
    gap.put_first([event for event in sessions.unanswered.take() if is_sent_again(sessions, event)])
    for event in sessions.held:
        gap.put(event)
    sessions.held.clear()
    fail_responses(sessions, line, reason)
    sessions.drop_line(line)
    sessions.spawn(restore(sessions, gap, line), "open the connection again")


def fail_responses(sessions: Sessions, line: Line, reason: str) -> None:
    """Have the handlers told that what a session was saying is over."""
    for response_id, response in line.responses.items():
        calls = whole_calls(sessions.conversation.items, response_id)
        frame = sessions.frames.response_failed({**response, "output": calls}, f"The session was lost: {reason}")
        sessions.ready.append(frame)
        for item in sessions.conversation.items:
            if item.response_id == response_id and is_torso(item):
                sessions.ready.append(sessions.frames.deleted(item.id))
    line.responses.clear()
    line.asked_by.clear()
    line.untranscribed.clear()


def is_sent_again(sessions: Sessions, event: _Event) -> bool:
    """Tell whether an event that had no answer is sent to the next session."""
    match event["type"]:
        case "conversation.item.truncate" | "input_audio_buffer.commit":
            return False  # what was heard is restored as such; the sound to commit is gone
        case "response.create":
            return not is_apart(event) and is_first_time(sessions, event.get("event_id") or "")
        case _:
            return True


async def restore(sessions: Sessions, gap: Gap, before: Line) -> None:
    """Open connections until one is primed."""
    error: Exception = before.end or ConnectionLost(1006)
    if sessions.clock.now() - before.opened_at > _STABLE_S:
        sessions.attempts = 0
    while sessions.attempts < sessions.limits.attempts:
        sessions.attempts += 1
        attempt = sessions.attempts
        wait_s = backoff_s(attempt, sessions.draw)
        sessions.tell(Change("waiting", str(error), attempt, wait_s))
        if sessions.clock.now() + wait_s - gap.began_at > sessions.limits.give_up_s:
            break
        await sessions.clock.sleep_until(sessions.clock.now() + wait_s)
        try:
            line = await sessions.open_line()
        except Exception as refusal:  # noqa: BLE001  (told, and tried again)
            error = refusal
            if is_final(refusal):
                break
            continue
        try:
            await give(sessions, line, before)
        except Exception as refusal:
            sessions.drop_line(line)
            if line.closing is None or is_final(refusal, sessions.last_code):
                raise
            error = refusal
            continue
        take_over(sessions, line, before, gap)
        return
    sessions.tell(Change("gave_up", str(error)))
    code = read_int(error, "code") or getattr(getattr(error, "rcvd", None), "code", None) or 1006
    what = f"it could not be opened again: {visible(redact_text(str(error)))}"
    raise ResumeError(code, what, advice="Start again with the conversation's store.") from error


async def give(sessions: Sessions, line: Line, before: Line) -> None:
    """Prime a session, once all that came is handled; one that was there all the time (a sideband) needs none."""
    await sessions.idle.wait()
    if before.is_announced or before.session is None:
        await prime_line(sessions, line)
    line.is_announced = before.is_announced or line.is_announced


def take_over(sessions: Sessions, line: Line, before: Line, gap: Gap) -> None:
    """Go on with a primed session."""
    sessions.line = line
    note_absent(sessions, line)
    line.put_back()
    if line.session is None:
        line.session = before.session
    sessions.tell_replaced("connection_lost", before.session_id, gap)
    sessions.tell(Change("restored", "The conversation goes on in a new session."))
    microphone = gap.microphone
    is_heard_again = microphone is not None and not microphone.is_speech_over
    gap.release(sessions.config.audio_format_input, answers_by_itself=answers_by_itself(sessions.config))
    if gap.asks or is_heard_again:
        gap.again = None
    sessions.spawn(flush(sessions, line, gap), "send what waited")


def note_absent(sessions: Sessions, line: Line) -> None:
    """Note what a session that takes over was not given, unless it has had it all the time (a sideband)."""
    if line.is_announced:
        items = sessions.conversation.items
        known = line.planting.there
        line.absent = frozenset(i.id for i in items if i.id not in known and i.response_id not in sessions.under_way)


def switch_to(sessions: Sessions, line: Line) -> None:
    """Let a primed session take over; the one before it finishes what it is saying."""
    old, sessions.draining, sessions.line = sessions.line, sessions.line, line
    gap = sessions.gap = Gap(None, began_at=sessions.clock.now())
    note_absent(sessions, line)
    line.put_back()
    if sessions.config.session_type == "translation":
        old.is_closing = True
        sessions.spawn(old.send({"type": "session.close"}), "end the translation")
    sessions.tell_replaced("rotation", old.session_id, gap)
    sessions.spawn(
        bring_up(sessions, line, gap, list(sessions.conversation.items), appends=True), "bring up the next session"
    )
    sessions.tell(Change("rotated", "The next session has taken over."))


def drained(sessions: Sessions, old: Line) -> None:
    """Let go of the session before this one: it has said all it had to say."""
    if old.responses:
        again = owed(sessions, old)
        fail_responses(sessions, old, "it ended before its response")
    else:
        again = None
    sessions.draining = None
    sessions.drop_line(old)
    gap = Gap(None, began_at=sessions.clock.now())
    if sessions.gap is not None:
        sessions.held += sessions.gap.take_all()
    for event in sessions.held:
        gap.put(event)
    sessions.held.clear()
    gap.again = again
    sessions.gap = gap
    sessions.spawn(
        bring_up(sessions, sessions.line, gap, list(sessions.conversation.items), appends=False), "bring up the session"
    )


def is_drained(old: Line) -> bool:
    """Tell whether a session has said all that it had to say."""
    return old.end is not None or not (old.responses or old.untranscribed or old.is_closing)
