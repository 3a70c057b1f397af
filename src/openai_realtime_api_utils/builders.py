"""Build the events that programs send most: what a user says, shows or plays, a prompt to speak, a past to begin with.

Each returns plain dicts for ``send``; ``event["item"]`` is the item alone, for the ``input`` of a response.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pybase64

from .errors import FormatError, LocalProtocolError, require
from .state.items import Item

if TYPE_CHECKING:
    from .ports import Samples

_RATE = 24_000
"""Samples per second of a session's PCM (API reference)."""

_LONGEST_ID = 32
"""How long an id of the client's own may be (reported)."""

_IMAGES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
"""How the kinds of images begin that the API takes."""

_SPEAKER = re.compile(r"^(user|assistant|system)\s*:\s*", re.IGNORECASE)


def user_text(text: str, *, item_id: str | None = None) -> dict[str, Any]:
    """Return the event that puts a user's words into the conversation."""
    return _created(_message("user", {"type": "input_text", "text": text}, item_id=item_id))


def user_image(
    image: str | Path | bytes, *, text: str | None = None, detail: str | None = None, item_id: str | None = None
) -> dict[str, Any]:
    """Return the event that shows an image.

    Args:
        image: a path, the bytes of a PNG or JPEG file, or a ``data:`` or ``https:`` URL, which is passed on as it is.
        text: what is said with it.
        detail: ``"auto"``, ``"low"`` or ``"high"``.
        item_id: the item's id; the server makes one by default.

    Raises:
        FormatError: the file cannot be read, or is neither PNG nor JPEG.
    """
    part = {"type": "input_image", "image_url": _image_url(image), **({"detail": detail} if detail else {})}
    said = [{"type": "input_text", "text": text}] if text else []
    return _created(_message("user", *said, part, item_id=item_id))


def user_audio(audio: str | Path | bytes | Samples, *, item_id: str | None = None) -> dict[str, Any]:
    """Return the event that puts something spoken into the conversation, in one piece.

    Args:
        audio: the path of a WAV file; samples, int16, mono, at 24 kHz; or bytes in the session's own input format.
        item_id: the item's id; the server makes one by default.

    Raises:
        FormatError: the file cannot be read.
        MissingExtraError: a file is given, and numpy is not installed.
    """
    if isinstance(audio, str | Path):
        data = _read_wav(audio)
    else:
        data = audio if isinstance(audio, bytes) else audio.astype("<i2").tobytes()
    encoded = pybase64.b64encode(data).decode()
    return _created(_message("user", {"type": "input_audio", "audio": encoded}, item_id=item_id))


def say(
    prompt: str,
    *,
    out_of_band: bool = False,
    output_modalities: Iterable[str] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the event that has the assistant speak, for instance to greet.

    Args:
        prompt: what it is to say or do in this response; it goes before the session's instructions.
        out_of_band: whether it is spoken beside the conversation, which does not come to know of it.
        output_modalities: ``["audio"]`` or ``["text"]``; the session's own by default.
        metadata: what the response will be known by.
    """
    response: dict[str, Any] = {"instructions": prompt}
    if out_of_band:
        response |= {"conversation": "none", "input": []}
    if output_modalities is not None:
        response["output_modalities"] = list(output_modalities)
    if metadata:
        response["metadata"] = dict(metadata)
    return {"type": "response.create", "response": response}


def seed_conversation(past: str | Iterable[Item | Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the events that put a past into a new conversation, in order; ids are kept.

    Args:
        past: items, as ``TrackConversation`` holds them or as the API writes them; or a transcript with lines like
            ``user: ...`` and ``assistant: ...``, of which a line without a speaker goes on with the one before.

    Raises:
        LocalProtocolError: a transcript begins without a speaker.
    """
    if isinstance(past, str):
        return [_created(item) for item in _spoken(past)]
    return [_created(item) for item in _planted(past)]


def _planted(past: Iterable[Item | Mapping[str, Any]]) -> list[dict[str, Any]]:
    from .state.restore import restored

    items: list[Item] = []
    for each in past:
        if isinstance(each, Item):
            items.append(each)
        else:
            item = Item(str(each.get("id") or ""))
            item.take(dict(each), is_final=True)
            item.status = item.status or "completed"
            items.append(item)
    return [_with_fair_id(one.param) for one in restored(items)]


def _with_fair_id(item: dict[str, Any]) -> dict[str, Any]:
    """Drop an id that the server would not take."""
    return item if 0 < len(item["id"]) <= _LONGEST_ID else {k: v for k, v in item.items() if k != "id"}


def _spoken(transcript: str) -> list[dict[str, Any]]:
    said: list[tuple[str, list[str]]] = []
    for line in filter(None, (line.strip() for line in transcript.splitlines())):
        speaker = _SPEAKER.match(line)
        if speaker:
            said.append((speaker[1].lower(), [line[speaker.end() :]]))
        elif said:
            said[-1][1].append(line)
        else:
            raise LocalProtocolError(
                f"The transcript begins with {line[:40]!r}, which does not say who speaks: begin lines with 'user: ', "
                f"'assistant: ' or 'system: '."
            )
    kinds = {"assistant": "output_text"}
    return [_message(who, {"type": kinds.get(who, "input_text"), "text": " ".join(lines)}) for who, lines in said]


def _message(role: str, *content: Any, item_id: str | None = None) -> dict[str, Any]:
    item = {"type": "message", "role": role, "content": list(content)}
    return {"id": item_id, **item} if item_id else item


def _created(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "conversation.item.create", "item": item}


def _image_url(image: str | Path | bytes) -> str:
    if isinstance(image, str) and image.startswith(("data:", "https:", "http:")):
        return image
    data = image if isinstance(image, bytes) else _read(Path(image))
    kind = next((kind for begins, kind in _IMAGES.items() if data.startswith(begins)), None)
    if kind is None:
        what = f"{len(data)} bytes" if isinstance(image, bytes) else str(image)
        raise FormatError(f"{what} are no PNG or JPEG image, and the API takes no other: convert it.")
    return f"data:{kind};base64,{pybase64.b64encode(data).decode()}"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FormatError(f"{path} cannot be read ({error.strerror}): give the path of a PNG or JPEG image.") from error


def _read_wav(path: str | Path) -> bytes:
    require("numpy", extra="audio", needed_by="user_audio with a file")
    from .audio.resample import resample
    from .host.wav_reader import WavReader

    with WavReader(path) as reader:
        samples = reader.read(reader.length)
        return resample(samples, reader.rate, _RATE).astype("<i2").tobytes()
