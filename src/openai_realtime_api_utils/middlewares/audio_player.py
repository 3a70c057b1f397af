"""Play the assistant's speech on a loudspeaker, and know what of it was heard."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ..audio.formats import PCM_24K, AudioFormat
from ..clock import Clock, SystemClock
from ..errors import FormatError, require
from ..handlers import Metadata, MetadataKey, by_type
from ..ports import Send, Speaker, SpeechId
from ..state.cushion import Cushion
from ..state.playhead import Cut
from ..state.reading import read, read_id, read_int, read_text
from ..state.session_audio import format_in
from .delta_bytes import delta_bytes
from .registered_send import registered
from .speeches import Speeches

if TYPE_CHECKING:
    from ..ports import Samples
    from .speech import Speech

_logger = logging.getLogger(__name__)

AUDIO: MetadataKey[Samples] = MetadataKey("audio")
"""The samples of a ``response.output_audio.delta``, int16, mono, at the session's output rate."""

SPEECH: MetadataKey[SpeechId] = MetadataKey("speech")
"""The item and content part that a delta of speech or its transcript belongs to."""

INTERRUPTED: MetadataKey[bool] = MetadataKey("interrupted")
"""True on a delta of speech that was interrupted: it came too late and is not played."""

_SHORTEST_WAIT_S = 0.005
"""How often to look again while speech waits behind other speech of unknown length."""


class AudioPlayer:
    """Play ``response.output_audio.delta`` on a loudspeaker, a queue for each content part of an item.

    Works alone, or under an ``Interrupt``. Speech starts when ``prebuffer_ms`` of it are there, or all of it; more
    where the speech before came unsteadily. If it runs dry, it waits once, for long enough not to do so again. All that
    was received is kept until it sounds: the service sends faster than real time, and its limit of tokens to an answer
    bounds it.
    """

    def __init__(
        self,
        speaker: Speaker,
        *,
        prebuffer_ms: int = 60,
        on_speech_end: Iterable[Callable[[SpeechId], Any]] = (),
        clock: Clock | None = None,
    ) -> None:
        """Make a player.

        Args:
            speaker: plays; it goes by the same ``clock``.
            prebuffer_ms: how much speech must be there at least before it starts, against stuttering.
            on_speech_end: see ``register_on_speech_end_handler``.
            clock: the machine's own by default.

        Raises:
            MissingExtraError: numpy is not installed.
        """
        require("numpy", extra="audio", needed_by="AudioPlayer")
        from .speech import Speech  # now: at the first sound, loading it would hold up that sound

        self._new_speech = Speech
        self._speaker = speaker
        self._cushion = Cushion(prebuffer_ms)
        self._on_speech_end = list(on_speech_end)
        self._clock = clock or SystemClock()
        self._send: Send | None = None
        self._format = PCM_24K
        self._open_responses: dict[str, AudioFormat] = {}
        self._silenced: set[str] = set()
        self._speeches = Speeches()
        self._latest: Speech | None = None
        self._is_held = False
        self._may_sound = asyncio.Event()
        self._may_sound.set()

    @property
    def speech_ids(self) -> tuple[SpeechId, ...]:
        """The speech of this session in the order in which it plays; the oldest are forgotten when over."""
        return self._speeches.ids

    @property
    def is_speaking(self) -> bool:
        """Whether the assistant has something to say that has not sounded to its end, held or not."""
        return self._speeches.is_audible

    @property
    def underruns(self) -> int:
        """How often speech ran dry before it was over."""
        return self._cushion.underruns

    @property
    def heard_s(self) -> float:
        """How much speech has been heard in all, in seconds."""
        return self._speeches.heard_s

    def heard(self, item_id: str) -> int:
        """Return how much of an item's speech has been heard by now, in whole milliseconds; 0 if it is unknown."""
        return sum(speech.playhead.heard_ms for speech in self._speeches.of_item(item_id))

    def heard_text(self, item_id: str) -> str:
        """Return the words of an item that have been heard by now, in proportion to the sound."""
        return " ".join(filter(None, (speech.playhead.heard_text for speech in self._speeches.of_item(item_id))))

    def register_on_speech_end_handler(self, handler: Callable[[SpeechId], Any]) -> None:
        """Have a function called, sync or async, when speech has sounded to its end; not when it was cut."""
        self._on_speech_end.append(handler)

    def register_send_with_handlers(self, send: Send) -> None:
        """Take the ``send`` of ``hook_handlers``; only handlers for the end of speech need it."""
        self._send = send.by("AudioPlayer")

    def hold(self) -> None:
        """Fall silent now, and keep what has not sounded."""
        self._is_held = True
        self._may_sound.clear()
        for speech in self._speeches.going():
            speech.hold()

    def go_on(self) -> None:
        """Resume at the very sample at which it was held."""
        self._is_held = False
        self._may_sound.set()
        for speech in self._speeches.going():
            speech.go_on()

    def cut(self, response_ids: Iterable[str] = ()) -> list[Cut]:
        """Fall silent now, and drop all that has not sounded.

        What still comes of the responses that spoke, and of ``response_ids``, is marked ``INTERRUPTED`` and not played.

        Returns:
            How far each speech was heard that was cut before its end, in the order of playing.
        """
        cuts = [speech.cut() for speech in self._speeches.going()]
        ending = {*response_ids, *(cut.response_id for cut in cuts)}
        self._silenced.update(response_id for response_id in self._open_responses if response_id in ending)
        self._is_held = False
        self._may_sound.set()
        return cuts

    def _session(self, event: Any, _metadata: Metadata) -> None:
        self._format = self._format_in(read(event, "session"), self._format)

    def _response_created(self, event: Any, _metadata: Metadata) -> None:
        response = read(event, "response")
        response_id = read_id(response, "id")
        if response_id is not None:
            states = read(read(read(response, "audio"), "output"), "format") is not None
            self._open_responses[response_id] = self._format_in(response, self._format) if states else self._format

    def _format_in(self, source: object, known: AudioFormat) -> AudioFormat:
        try:
            return format_in(source, "output")
        except FormatError as error:
            _logger.warning("%s The assistant's audio is taken as %s.", error, known.type)
            return known

    def _audio(self, event: Any, metadata: Metadata) -> None:
        speech = self._speech_of(event, metadata)
        if speech is None:
            return
        try:
            data = delta_bytes(event, metadata)
        except ValueError as error:
            _logger.warning("A piece of the speech of %s is not base64 (%s); it was skipped.", speech.id.item_id, error)
            return
        if speech.is_finished:
            _logger.warning("A piece of the speech of %s came after its end; it is not played.", speech.id.item_id)
        metadata[AUDIO] = speech.receive(data, self._clock.now())

    def _transcript(self, event: Any, metadata: Metadata) -> None:
        # Words come before the first sound. Speech that has words has a place in the conversation, heard or not.
        speech = self._speech_of(event, metadata)
        if speech is not None:
            speech.tell(read_text(event, "delta") or "")

    def _speech_of(self, event: Any, metadata: Metadata) -> Speech | None:
        """Return the speech that a delta belongs to, begun if it is the first; None if the delta does not say."""
        speech = self._latest  # most deltas go on where the last one ended
        named = getattr(event, "item_id", None), getattr(event, "content_index", None)
        if speech is None or speech.id != named:
            item_id = read_id(event, "item_id")
            if item_id is None:
                _logger.warning("A %s names no item; it was skipped.", event.type)
                return None
            speech_id = SpeechId(item_id, read_int(event, "content_index") or 0)
            speech = self._speeches.get(speech_id) or self._begin(speech_id, read_id(event, "response_id"))
            self._latest = speech
        metadata[SPEECH] = speech.id
        if speech.is_cut:
            metadata[INTERRUPTED] = True
        return speech

    def _begin(self, speech_id: SpeechId, response_id: str | None) -> Speech:
        audio_format = self._format
        if response_id is not None:
            audio_format = self._open_responses.setdefault(response_id, self._format)
        speech = self._new_speech(speech_id, response_id, audio_format, self._speaker, self._cushion)
        if response_id in self._silenced:
            speech.cut()
        elif self._is_held:
            speech.hold()
        self._speeches.add(speech)
        return speech

    def _part_done(self, event: Any, _metadata: Metadata) -> None:
        item_id = read_id(event, "item_id")
        if item_id is not None:
            self._finish([self._speeches.get(SpeechId(item_id, read_int(event, "content_index") or 0))])

    def _item_done(self, event: Any, _metadata: Metadata) -> None:
        self._finish(self._speeches.of_item(read_id(read(event, "item"), "id") or ""))

    def _response_done(self, event: Any, _metadata: Metadata) -> None:
        response_id = read_id(read(event, "response"), "id")
        if response_id is not None:
            self._finish(self._speeches.of_response(response_id))
            self._open_responses.pop(response_id, None)
            self._silenced.discard(response_id)

    def _item_deleted(self, event: Any, _metadata: Metadata) -> None:
        for speech in self._speeches.of_item(read_id(event, "item_id") or ""):
            if not speech.is_over:
                speech.cut()

    def _finish(self, speeches: Iterable[Speech | None]) -> None:
        for speech in speeches:
            if speech is None or speech.is_finished or speech.is_cut:
                continue
            speech.finish(self._clock.now())
            if self._on_speech_end and not speech.is_empty:
                send = registered(self._send, "AudioPlayer")
                send.spawn(self._tell_end(speech), name=f"end of {speech.id.item_id}")

    async def _tell_end(self, speech: Speech) -> None:
        """Wait until speech has sounded to its end, and tell; if it is cut before, do not."""
        while not speech.is_over:
            await self._may_sound.wait()
            wait_s = max(self._speeches.left_until(speech) / self._speaker.rate, _SHORTEST_WAIT_S)
            await self._clock.sleep_until(self._clock.now() + wait_s)
        if speech.is_cut:
            return
        for handler in tuple(self._on_speech_end):
            result = handler(speech.id)
            if inspect.isawaitable(result):
                await result

    server_event_handler = by_type(
        {
            "session.created": _session,
            "session.updated": _session,
            "response.created": _response_created,
            "response.output_audio.delta": _audio,
            "response.output_audio_transcript.delta": _transcript,
            "response.output_audio.done": _part_done,
            "response.content_part.done": _part_done,
            "response.output_item.done": _item_done,
            "conversation.item.done": _item_done,
            "response.done": _response_done,
            "conversation.item.deleted": _item_deleted,
        }
    )
