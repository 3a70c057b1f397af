"""Open a session of any kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .base_session import BaseSession
from .ids import Ids
from .keys import Kind
from .session import Session
from .settings import Settings
from .transcription_session import TranscriptionSession
from .translation_session import TranslationSession
from .vad import Vad, WebRtcVad


def open_session(
    kind: Kind = "realtime",
    *,
    now: float,
    created_at: int,
    settings: Settings | None = None,
    model: str | None = None,
    given: dict[str, Any] | None = None,
    call_id: str | None = None,
    ids: Ids | None = None,
    vad: Callable[[], Vad] = WebRtcVad,
) -> BaseSession:
    """Begin a session of this kind; the arguments are those of ``Session``.

    Raises:
        Refusal: ``given`` is refused.
    """
    match kind:
        case "realtime":
            return Session(
                now=now,
                created_at=created_at,
                settings=settings,
                model=model,
                given=given,
                call_id=call_id,
                ids=ids,
                vad=vad,
            )
        case "transcription":
            return TranscriptionSession(
                now=now, created_at=created_at, settings=settings, given=given, ids=ids, vad=vad
            )
        case "translation":
            return TranslationSession(
                now=now, created_at=created_at, settings=settings, model=model, given=given, ids=ids, vad=vad
            )
