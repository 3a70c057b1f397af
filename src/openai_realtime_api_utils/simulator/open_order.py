"""Know where the protocol leaves the order of server events open: what may come late, and what must wait for it."""

from __future__ import annotations

from typing import Any

MAIN = ""
"""The lane of the conversation."""
_TRANSCRIPTION = "conversation.item.input_audio_transcription."
_TRANSCRIPT = "response.output_audio_transcript.delta"
_SOUND = "response.output_audio.delta"


class OpenOrder:
    """Sort server events into lanes. Within a lane the order is fixed; a lane may fall behind the others.

    Transcriptions of what the user said come whenever they come (API reference, recorded sessions). The deltas of a
    transcript and those of its sound are not tied to each other, but both end before what closes them. A response out
    of band shares nothing with the others. Rate limits are told sometime after a response.
    """

    def __init__(self) -> None:
        self._out_of_band: set[str] = set()
        self._transcripts: set[str] = set()
        self._ended = MAIN

    def lane(self, event: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
        """Return the event's lane, and the lanes whose events before it must be out before it is."""
        kind: str = event["type"]
        if kind.startswith(_TRANSCRIPTION):
            return f"heard {event['item_id']}", (MAIN,)
        if kind == "rate_limits.updated":
            return "limits", (MAIN, self._ended)
        response: dict[str, Any] = event.get("response") or {}
        response_id = str(event.get("response_id") or response.get("id"))
        if kind == "response.created" and response.get("conversation_id") is None:
            self._out_of_band.add(response_id)
        is_out_of_band = response_id in self._out_of_band
        if kind == "response.done":
            self._ended = f"response {response_id}" if is_out_of_band else MAIN
            self._out_of_band.discard(response_id)
        if is_out_of_band:
            return f"response {response_id}", (MAIN,)
        if kind == _TRANSCRIPT:
            lane = f"transcript {event['item_id']}"
            self._transcripts.add(lane)
            return lane, (MAIN,)
        if kind == _SOUND:
            return MAIN, ()
        before = tuple(self._transcripts)
        self._transcripts.clear()
        return MAIN, before
