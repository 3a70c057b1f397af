"""Be the items of a conversation, as much of each as was received."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from ..audio.formats import PCM_24K, AudioFormat
from .heard import heard_text
from .reading import read_text

_CLOSED = frozenset({"completed", "incomplete", "failed"})
_KNOWN_BY_NAME = frozenset({"id", "type", "role", "status", "content", "arguments", "object"})


class GrowingText:
    """Be text that arrives in pieces, and at last as a whole."""

    __slots__ = ("_pieces", "is_final")

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self.is_final = False
        """Whether the whole was told; later pieces are echoes of what is in it."""

    @property
    def value(self) -> str:
        """All of it so far."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    @property
    def is_known(self) -> bool:
        """Whether anything was told at all, be it that the text is empty."""
        return self.is_final or bool(self._pieces)

    def add(self, piece: str) -> None:
        """Take one more piece."""
        if not self.is_final:
            self._pieces.append(piece)

    def begin(self, text: str) -> None:
        """Take what an opening event says, unless something came before it."""
        if text and not self.is_known:
            self._pieces.append(text)

    def settle(self, whole: str) -> None:
        """Take the whole in place of the pieces."""
        self._pieces = [whole]
        self.is_final = True


class Segment(NamedTuple):
    """Be a stretch of a transcript that tells its speaker apart."""

    id: str
    text: str
    speaker: str | None
    start: float | None
    """Seconds from the beginning of the item's sound."""
    end: float | None


@dataclass(slots=True, eq=False)
class Part:
    """Be one content part of a message."""

    type: str | None = None
    """The name it has in items: ``input_text``, ``input_audio``, ``input_image``, ``output_text``, ``output_audio``."""
    growing: GrowingText = field(default_factory=GrowingText, repr=False)
    audio_bytes: int = 0
    """How much sound was received for it, as encoded in ``audio_format``."""
    audio_format: AudioFormat = PCM_24K
    truncated_ms: int | None = None
    """Where the server cut it: it takes nothing after this as said."""
    segments: dict[str, Segment] = field(default_factory=dict[str, Segment], repr=False)
    """The segments of a transcript with speakers, by their id, in order of arrival."""
    error: dict[str, Any] | None = None
    """Why its transcription failed."""
    image_url: str | None = field(default=None, repr=False)
    detail: str | None = None

    @property
    def text(self) -> str:
        """Its text, or the transcript of its sound."""
        if self.growing.is_known or not self.segments:
            return self.growing.value
        return " ".join(segment.text.strip() for segment in self.segments.values())

    @property
    def audio_ms(self) -> float:
        """How much sound was received for it."""
        return self.audio_format.samples_in(self.audio_bytes) * 1000 / self.audio_format.rate

    @property
    def heard_text(self) -> str:
        """The part of its text that was heard before it was cut."""
        return self.text if self.truncated_ms is None else heard_text(self.text, self.truncated_ms, self.audio_ms)


@dataclass(slots=True, eq=False, repr=False)
class Item:
    """Be one item, kept up to date while events come in. Read it; the conversation writes it."""

    id: str
    type: str | None = None
    """``message``, ``function_call``, ``function_call_output``, ``mcp_call``, ... ; None until it is told."""
    role: str | None = None
    """``user``, ``assistant``, ``system``; None on what is no message."""
    status: str | None = None
    """``in_progress``, ``completed``, ``incomplete``; ``failed`` on what MCP says so of."""
    response_id: str | None = None
    """The response that made it; None on what no response made."""
    previous_item_id: str | None = None
    """The item it came after when it was added; None at the beginning, or where the server did not tell."""
    is_out_of_band: bool = False
    """Whether its response writes to no conversation."""
    parts: dict[int, Part] = field(default_factory=dict[int, Part])
    """Its content parts by their index."""
    details: dict[str, Any] = field(default_factory=dict[str, Any])
    """All else that the server said of it: ``name``, ``call_id``, ``output``, ``phase``, ``tools``, ``error``, ..."""
    growing_arguments: GrowingText = field(default_factory=GrowingText)
    told_heard_text: str | None = None
    """What was heard of it according to someone who knows better."""
    is_ordered: bool = False
    """Whether the server has told where it stands."""
    is_spoken_in: bool = False
    """Whether it was committed from the input audio buffer."""

    def __repr__(self) -> str:
        told = " ".join(filter(None, (self.type, self.role, self.status)))
        text = self.text if len(self.text) <= 40 else self.text[:39] + "…"
        return f"<Item {self.id} {told} {text!r}>"

    @property
    def content(self) -> tuple[Part, ...]:
        """Its content parts in order."""
        return tuple(self.parts[index] for index in sorted(self.parts))

    @property
    def text(self) -> str:
        """The text and transcripts of its parts, as received; ``""`` where there are none yet."""
        return " ".join(filter(None, (part.text for part in self.content)))

    @property
    def transcript(self) -> str | None:
        """The transcript of its sound; None where it has no sound, or no transcript of it yet."""
        heard = [part for part in self.content if part.type in ("input_audio", "output_audio")]
        if not any(part.growing.is_known or part.segments for part in heard):
            return None
        return " ".join(filter(None, (part.text for part in heard)))

    @property
    def heard_text(self) -> str:
        """The part of ``text`` that was heard: all of it unless it was truncated, or somebody told better."""
        if self.told_heard_text is not None:
            return self.told_heard_text
        return " ".join(filter(None, (part.heard_text for part in self.content)))

    @property
    def truncated_ms(self) -> int | None:
        """Where the server cut its sound; None if it did not."""
        return next((part.truncated_ms for part in self.content if part.truncated_ms is not None), None)

    @property
    def audio_ms(self) -> float:
        """How much of its sound was received."""
        return sum(part.audio_ms for part in self.content)

    @property
    def arguments(self) -> str | None:
        """The arguments of a call, JSON in the making until ``status`` is ``completed``; None on what is no call."""
        is_call = self.growing_arguments.is_known or self.type in ("function_call", "mcp_call", "mcp_approval_request")
        return self.growing_arguments.value if is_call else None

    @property
    def name(self) -> str | None:
        """The function or tool that is called."""
        return read_text(self.details, "name")

    @property
    def call_id(self) -> str | None:
        """What ties a call to its output."""
        return read_text(self.details, "call_id")

    @property
    def output(self) -> str | None:
        """What came of a call."""
        return read_text(self.details, "output")

    @property
    def error(self) -> Any:
        """What failed: a tool, or the transcription of what was said."""
        failed = self.details.get("error")
        return failed if failed is not None else next((part.error for part in self.content if part.error), None)

    def part(self, index: int | None) -> Part:
        """Return a content part; it is made if this is the first to be heard of it."""
        part = self.parts.get(index or 0)
        if part is None:
            part = self.parts[index or 0] = Part()
        return part

    def take(self, sent: dict[str, Any], *, is_final: bool) -> None:
        """Learn from the server's own record of the item.

        Args:
            sent: the item as it was sent.
            is_final: whether it closes the item. What opens one is older than deltas that may have overtaken it.
        """
        self.type = read_text(sent, "type") or self.type
        self.role = read_text(sent, "role") or self.role
        if is_final or self.status not in _CLOSED:
            self.status = read_text(sent, "status") or self.status
        self.details.update({k: v for k, v in sent.items() if k not in _KNOWN_BY_NAME and v is not None})
        _learn(self.growing_arguments, read_text(sent, "arguments"), is_final=is_final)
        content: object = sent.get("content")
        for index, part in enumerate(cast("list[object]", content) if isinstance(content, list) else []):
            if isinstance(part, dict):
                self.take_part(index, cast("dict[str, Any]", part), is_final=is_final)

    def take_part(self, index: int, sent: dict[str, Any], *, is_final: bool) -> None:
        """Learn from the server's own record of a content part."""
        part = self.part(index)
        part.type = self._part_type(read_text(sent, "type")) or part.type
        text = read_text(sent, "text")
        _learn(part.growing, read_text(sent, "transcript") if text is None else text, is_final=is_final)
        part.image_url = read_text(sent, "image_url") or part.image_url
        part.detail = read_text(sent, "detail") or part.detail

    def _part_type(self, sent: str | None) -> str | None:
        """Name a part as items do: events about parts, and retrieved items, say ``audio`` and ``text`` instead."""
        if sent in ("audio", "text"):
            return f"{'output' if self.role in (None, 'assistant') else 'input'}_{sent}"
        return sent


def _learn(growing: GrowingText, text: str | None, *, is_final: bool) -> None:
    if not text:
        return  # the closing record of spoken input has no transcript: it is still on its way
    if is_final:
        growing.settle(text)
    else:
        growing.begin(text)
