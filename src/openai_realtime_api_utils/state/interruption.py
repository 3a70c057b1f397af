"""Decide what the server must be told when the user interrupts. Sends nothing.

The server takes all audio that it sent as heard until it is told otherwise, so each interruption truncates what was
not. Whom it cancels by itself, and what it refuses, is told beside each rule.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

from ..ports import SpeechId
from .playhead import Cut

_Event: TypeAlias = dict[str, Any]

_TOO_LONG = re.compile(r"of ([0-9]{1,9}) ?ms is already shorter than ([0-9]{1,9}) ?ms")
"""The refusal of a truncation past the end (reported): the first number is the server's own length."""

_REMEMBERED = 64
"""How many of our events, and of the speeches cut, are remembered. The server answers within a second (reported)."""


@dataclass(frozen=True)
class _Truncation:
    """Be a truncation that was asked for."""

    speech_id: SpeechId
    audio_end_ms: int
    response_id: str | None
    was_heard: bool
    is_second_try: bool = False


class Decision(NamedTuple):
    """Say what follows from an interruption."""

    events: list[_Event]
    """The client events to send, in this order."""
    is_interruption: bool
    """Whether there was anything to interrupt."""


class Refusal(NamedTuple):
    """Say what follows from an ``error`` on one of our events."""

    events: list[_Event]
    is_handled: bool
    """Whether that is all there is to it, so that nobody need be told."""


class Interruption:
    """Remember across the interruptions of a session what was asked of the server, and what it refused."""

    def __init__(self) -> None:
        self.margin_ms = 0
        """How much shorter than what was received the server's own record of speech has been found to be."""
        self.is_sideband = False
        """Whether the sound goes past this connection (WebRTC, SIP): there the server truncates by itself."""
        self._asked: dict[str, _Truncation | str] = {}
        self._count = 0
        self._ended: set[str] = set()
        self._truncated: dict[SpeechId, str | None] = {}
        self._doomed: list[tuple[str | None, str]] = []

    def interrupt(
        self,
        cuts: Sequence[Cut],
        *,
        open_responses: Mapping[str, bool],
        out_of_band: Collection[SpeechId],
        server_cancels: bool,
    ) -> Decision:
        """Decide what to send, once the sound has been cut.

        Args:
            cuts: the speech that was cut, in the order in which it would have sounded.
            open_responses: the responses that are not done, and whether each is out of band.
            out_of_band: the speech of ``cuts`` that is in no conversation, so that there is nothing to truncate.
            server_cancels: whether the server cancels the response of the conversation by itself: it does so with
                ``interrupt_response``, where it heard the user itself, and never to one out of band (API reference).
        """
        speaking = {cut.response_id for cut in cuts}
        ending = [
            response_id
            for response_id, is_out_of_band in open_responses.items()
            if response_id not in self._ended and (response_id in speaking or not is_out_of_band)
        ]
        self._ended.update(ending)
        is_interruption = bool(cuts or ending)
        if self.is_sideband:
            return Decision([], is_interruption)
        cancels = [self._cancel(r) for r in ending if open_responses[r] or not server_cancels]
        truncates = [
            self._truncate(_Truncation(cut.speech_id, self._end_of(cut), cut.response_id, cut.heard_ms > 0))
            for cut in cuts
            if cut.speech_id not in out_of_band
        ]
        for cut in cuts:
            self._note_truncated(cut.speech_id, cut.response_id)
        return Decision([*cancels, *truncates], is_interruption)

    def came_late(self, speech_id: SpeechId, response_id: str | None) -> list[_Event]:
        """Decide on speech of the conversation that first came when its response had been interrupted: nobody heard it.

        Deltas that were on their way still arrive until the response is done (reported).
        """
        if self.is_sideband or speech_id in self._truncated:
            return []
        self._note_truncated(speech_id, response_id)
        return [self._truncate(_Truncation(speech_id, 0, response_id, was_heard=False))]

    def refused(self, event_id: str, *, code: str | None, message: str, open_responses: Collection[str]) -> Refusal:
        """Decide on an ``error`` event that names one of our events; what is not ours is left alone."""
        asked = self._asked.pop(event_id, None)
        if asked is None:
            return Refusal([], is_handled=False)
        if isinstance(asked, str):
            return Refusal([], is_handled=code == asked)
        if code == "item_truncate_invalid_item_id":
            return Refusal([], is_handled=True)
        too_long = _TOO_LONG.search(message)
        length = asked.audio_end_ms if too_long is None else int(too_long[1])
        if length < asked.audio_end_ms and not asked.is_second_try:
            self.margin_ms = max(self.margin_ms, asked.audio_end_ms - length)
            return Refusal([self._truncate(replace(asked, audio_end_ms=length, is_second_try=True))], is_handled=True)
        if asked.was_heard:
            return Refusal([], is_handled=False)
        self._doomed.append((asked.response_id, asked.speech_id.item_id))
        return Refusal(self._deletions(open_responses), is_handled=True)

    def response_done(self, response_id: str, *, open_responses: Collection[str]) -> list[_Event]:
        """Decide on what waited for a response to be done, and forget the response."""
        self._ended.discard(response_id)
        self._truncated = {s: r for s, r in self._truncated.items() if r != response_id}
        return self._deletions([r for r in open_responses if r != response_id])

    def _note_truncated(self, speech_id: SpeechId, response_id: str | None) -> None:
        self._truncated[speech_id] = response_id
        _forget_oldest(self._truncated)

    def _deletions(self, open_responses: Collection[str]) -> list[_Event]:
        """Delete what could not be truncated, as far as its response is done."""
        ready = [item_id for response_id, item_id in self._doomed if response_id not in open_responses]
        self._doomed = [doomed for doomed in self._doomed if doomed[1] not in ready]
        return [self._delete(item_id) for item_id in dict.fromkeys(ready)]

    def _end_of(self, cut: Cut) -> int:
        return max(0, min(cut.heard_ms, cut.received_ms - self.margin_ms))

    def _cancel(self, response_id: str) -> _Event:
        # It may have ended by itself meanwhile.
        return self._ask("response_cancel_not_active", {"type": "response.cancel", "response_id": response_id})

    def _delete(self, item_id: str) -> _Event:
        return self._ask("item_delete_invalid_item_id", {"type": "conversation.item.delete", "item_id": item_id})

    def _truncate(self, truncation: _Truncation) -> _Event:
        item_id, content_index = truncation.speech_id
        event = {"type": "conversation.item.truncate", "item_id": item_id, "content_index": content_index}
        return self._ask(truncation, {**event, "audio_end_ms": truncation.audio_end_ms})

    def _ask(self, asked: _Truncation | str, event: _Event) -> _Event:
        """Number an event, and remember what was asked: a truncation, or the code of the refusal that means nothing."""
        self._count += 1
        event_id = f"interrupt_{self._count}"
        self._asked[event_id] = asked
        _forget_oldest(self._asked)
        return {**event, "event_id": event_id}


def _forget_oldest(remembered: dict[Any, Any]) -> None:
    while len(remembered) > _REMEMBERED:
        del remembered[next(iter(remembered))]


def patience_ms(
    *, by_server: bool, interrupts_by_itself: bool, detects_turns: bool, min_interruption_ms: int, confirm_ms: int
) -> int:
    """Return how long the user must go on talking before it is an interruption; until then speech is only held.

    Args:
        by_server: whether the server says that the user talks, and not a local detector or a key.
        interrupts_by_itself: whether the server cancels its response as it says so: nothing is left to wait for.
        detects_turns: whether the server detects turns at all: then a local detector is to be confirmed.
        min_interruption_ms: how long talk must last where it need not be confirmed.
        confirm_ms: how long local talk must last to do without the server's confirmation.
    """
    if by_server:
        return 0 if interrupts_by_itself else min_interruption_ms
    return max(confirm_ms, min_interruption_ms) if detects_turns else min_interruption_ms
