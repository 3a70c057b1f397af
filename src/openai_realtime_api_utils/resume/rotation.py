"""Look after a connection in the background: a new session before the old one ends, and an end to a dead one."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from ..clock import Clock
from ..errors import ConnectionLost
from ..events.redact import redact_text, visible
from ..state.reading import read_int
from .line import Line
from .losses import prime_line, switch_to
from .opening import Change
from .sessions import Sessions

_logger = logging.getLogger(__name__)

_LOOK_S = 0.1
"""How often to look for a quiet moment."""

_LOOK_AHEAD_S = 15.0
"""How often to look whether it is time."""

_AGAIN_S = 20.0
"""How long to wait after a rotation that failed."""

_LIFETIME_S = 3_600.0
"""How long a session lives that does not say (API reference)."""

_LATEST_S, _LATEST_PART = 60.0, 1 / 6
"""So long before its end, or so great a part of a short life, a session is left although somebody speaks."""

_EARLIEST_S, _EARLIEST_PART = 300.0, 1 / 3
"""So long before its end, or so great a part of a short life, a session is left at the next quiet moment."""

_WANTS_SILENCE_S = 20.0
"""How long to wait for a moment at which the microphone, too, hears nothing."""


def lifetime_s(session: object) -> float | None:
    """Return how long a session lives from now on, by its ``expires_at``; None where it does not say."""
    expires_at = read_int(session, "expires_at")
    return None if not expires_at else expires_at - datetime.now(UTC).timestamp()


def due(line: Line, rollover_s: float) -> tuple[float, float]:
    """Return from when on a session is left at a quiet moment, and from when on at any, in seconds of the clock."""
    life = lifetime_s(line.session)
    life = _LIFETIME_S if life is None or life <= 0 else life
    earliest = life - min(_EARLIEST_S, life * _EARLIEST_PART)
    latest = life - min(_LATEST_S, life * _LATEST_PART)
    return line.opened_at + min(rollover_s, earliest), line.opened_at + latest


async def rotate(sessions: Sessions, rollover_s: float, clock: Clock) -> None:
    """Replace each session before it ends, for as long as this runs."""
    lives: dict[Line, tuple[float, float]] = {}
    while True:
        line = sessions.line
        if line not in lives and line.session is not None:
            lives = {line: due(line, rollover_s)}
        wait_s = _LOOK_AHEAD_S if line not in lives else min(_LOOK_AHEAD_S, lives[line][0] - clock.now())
        if line in lives and wait_s <= 0 and sessions.gap is None and line.is_announced and line.end is None:
            if await _rotated(sessions, line, lives[line][1], clock):
                continue
            wait_s = _AGAIN_S
        await clock.sleep_until(clock.now() + max(wait_s, _LOOK_S))


async def _rotated(sessions: Sessions, line: Line, latest: float, clock: Clock) -> bool:
    """Open and prime the next session, and switch to it at a good moment; tell whether it came to that."""
    sessions.tell(Change("rotating", "The session is about to end; the next one is being prepared."))
    try:
        fresh = await sessions.open_line()
    except Exception as error:  # noqa: BLE001  (told, and tried again)
        _told_failed(sessions, error)
        return False
    began_at = clock.now()
    try:
        await sessions.idle.wait()
        await prime_line(sessions, fresh)
        while line.end is None and fresh.end is None and sessions.line is line:
            now = clock.now()
            is_good = sessions.is_quiet and (sessions.user_audio.is_silent or now - began_at > _WANTS_SILENCE_S)
            is_late = now >= latest and not (
                sessions.is_user_speaking or sessions.gap is not None or sessions.unanswered
            )
            if sessions.draining is None and sessions.idle.is_set() and (is_good or is_late):
                switch_to(sessions, fresh)
                return True
            await clock.sleep_until(now + _LOOK_S)
    except Exception as error:  # noqa: BLE001  (told, and tried again)
        _told_failed(sessions, error)
    finally:
        if sessions.line is not fresh:
            sessions.drop_line(fresh)
    return False


def _told_failed(sessions: Sessions, error: Exception) -> None:
    _logger.warning("The next session could not be prepared; it is tried again: %s", visible(redact_text(str(error))))
    sessions.tell(Change("rotation_failed", str(error)))


async def watch(sessions: Sessions, dead_after_s: float, clock: Clock) -> None:
    """Find connections that are open but dead, for as long as this runs: those that do not answer when asked."""
    probed: set[Line] = set()
    while True:
        await clock.sleep_until(clock.now() + dead_after_s / 4)
        both = () if sessions.is_between else (sessions.draining, sessions.line)
        lines = [line for line in both if line is not None and line.end is None]
        probed.intersection_update(lines)
        for line in lines:
            silent_s = clock.now() - line.heard_at
            if silent_s < dead_after_s / 2:
                probed.discard(line)
            elif line not in probed:
                probed.add(line)
                if not line.updates:  # else there is a question already
                    question = line.planting.configure(sessions.nothing_new)
                    sessions.spawn(line.send(question), "ask whether it is alive")
            elif silent_s >= dead_after_s:
                line.give_up(ConnectionLost(1006, f"nothing came for {silent_s:g} s, not even an answer"))


async def tell_heard(sessions: Sessions, clock: Clock) -> None:
    """Have what was heard of a speech written down while it sounds, for as long as this runs."""
    while True:
        await clock.sleep_until(clock.now() + 1.0)
        sessions.look_at_heard()
