"""Add up what a session used: tokens by modality, cached ones apart, and seconds of transcription."""

from __future__ import annotations

from dataclasses import dataclass, fields

from .reading import read, read_int, read_number, read_text


@dataclass(frozen=True)
class Usage:
    """Be what was used so far. Cached tokens are counted among the input tokens, too."""

    responses: int = 0
    """How many responses told their usage; a cancelled one may not (reported)."""
    input_tokens: int = 0
    input_text_tokens: int = 0
    input_audio_tokens: int = 0
    input_image_tokens: int = 0
    cached_tokens: int = 0
    cached_text_tokens: int = 0
    cached_audio_tokens: int = 0
    cached_image_tokens: int = 0
    output_tokens: int = 0
    output_text_tokens: int = 0
    """Reasoning is counted among them (recorded sessions)."""
    output_audio_tokens: int = 0
    transcription_seconds: float = 0.0
    """Seconds of sound transcribed by models that count so; others count tokens."""
    transcription_input_tokens: int = 0
    transcription_output_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))


def add(usage: Usage, event: object) -> Usage:
    """Return ``usage`` with what a server event says was used; an event that says nothing adds nothing."""
    match read_text(event, "type"):
        case "response.done":
            return usage + _of_response(read(read(event, "response"), "usage"))
        case "conversation.item.input_audio_transcription.completed":
            return usage + _of_transcription(read(event, "usage"))
        case _:
            return usage


def _of_response(told: object) -> Usage:
    if told is None:
        return Usage()
    into, out = read(told, "input_token_details"), read(told, "output_token_details")
    cached = read(into, "cached_tokens_details")
    return Usage(
        responses=1,
        input_tokens=read_int(told, "input_tokens") or 0,
        input_text_tokens=read_int(into, "text_tokens") or 0,
        input_audio_tokens=read_int(into, "audio_tokens") or 0,
        input_image_tokens=read_int(into, "image_tokens") or 0,
        cached_tokens=read_int(into, "cached_tokens") or 0,
        cached_text_tokens=read_int(cached, "text_tokens") or 0,
        cached_audio_tokens=read_int(cached, "audio_tokens") or 0,
        cached_image_tokens=read_int(cached, "image_tokens") or 0,
        output_tokens=read_int(told, "output_tokens") or 0,
        output_text_tokens=read_int(out, "text_tokens") or 0,
        output_audio_tokens=read_int(out, "audio_tokens") or 0,
    )


def _of_transcription(told: object) -> Usage:
    return Usage(
        transcription_seconds=float(read_number(told, "seconds") or 0.0),
        transcription_input_tokens=read_int(told, "input_tokens") or 0,
        transcription_output_tokens=read_int(told, "output_tokens") or 0,
    )
