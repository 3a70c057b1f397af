"""Stream a microphone to the server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, cast

import pybase64

from ..clock import Clock, SystemClock
from ..errors import ConnectionLost, FormatError, HandlerError, require
from ..handlers import HANDLED, Metadata, by_type
from ..ports import Frame, Microphone, Send
from ..state.reading import is_null, read, read_id, read_text
from ..state.response_request import ResponseRequest
from ..state.session_audio import format_in
from ..state.talk_key import TalkKey, TurnEnd
from .registered_send import registered

if TYPE_CHECKING:
    from ..host.wav_writer import WavWriter

_logger = logging.getLogger(__name__)

Gate = Literal["open", "push_to_talk"]

SHORTEST_TURN_MS = 100
"""The server refuses to commit less (reported), and nobody says anything in less."""

_ON_THE_WAY_S = 0.2
"""How long sound from before a release may take to come out of a microphone."""

_TRANSLATION_FRAME_MS = 200
"""A translation session takes its sound in frames of this length (API reference)."""


class StreamMic:
    """Send what a microphone hears, from the first ``session.created`` or ``session.updated`` on.

    Sound waits for the network in a queue of ``queue_ms``; what piled up is sent in one event, and what is older than
    the queue is long is dropped and counted in ``lost``. Muted, and where a gate is shut while the server detects
    turns, silence is sent: turn detection needs sound to flow. When the microphone ends, streaming ends quietly; when
    it fails, its error ends ``keep_receiving``.
    """

    def __init__(
        self,
        microphone: Microphone,
        *,
        frame_ms: int = 20,
        queue_ms: int = 2000,
        gate: Gate = "open",
        pre_roll_ms: int = 200,
        recording_path: str | Path | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Make a streamer.

        Args:
            microphone: is read from when the session has begun.
            frame_ms: the least to send at a time.
            queue_ms: the most to keep while the network lags.
            gate: ``"push_to_talk"`` listens between ``press()`` and ``release()`` only.
            pre_roll_ms: how much from before ``press()`` is sent where the gate kept it back: people speak early.
            recording_path: a WAV file for a copy of what is sent, at the microphone's rate.
            clock: the microphone's; the machine's own by default. It tells which sound came before a key's release.

        Raises:
            HandlerError: there is no such gate.
            MissingExtraError: numpy is not installed.
        """
        if gate not in ("open", "push_to_talk"):
            raise HandlerError(f"StreamMic has no gate {gate!r}: give 'open' or 'push_to_talk'.")
        require("numpy", extra="audio", needed_by="StreamMic")
        from ..audio.level import SILENCE_DBFS, rms_dbfs
        from ..audio.sample_queue import SampleQueue
        from ..audio.stream_encoder import StreamEncoder

        self.mute = False
        """Set it True to send silence."""
        self.level = SILENCE_DBFS
        """How loud the microphone is, in dB below full scale (RMS of the last frame); muted, it is silence."""
        self._level_of = rms_dbfs
        self._microphone = microphone
        self._frame_ms = frame_ms
        self._gate = gate
        self._recording_path = recording_path
        self._recording: WavWriter | None = None
        self._entered = 0
        self._send: Send | None = None
        self._is_streaming = False
        self._clock = clock or SystemClock()
        self._key = TalkKey(microphone.rate * SHORTEST_TURN_MS // 1000)
        self._lost_before = 0
        self._has_ended = False
        self._pre_roll: SampleQueue[TurnEnd] = SampleQueue(microphone.rate * pre_roll_ms // 1000)
        self._queue: SampleQueue[TurnEnd] = SampleQueue(microphone.rate * queue_ms // 1000)
        self._changed = asyncio.Event()
        self._encoder = StreamEncoder(microphone.rate)
        self._session_type = "realtime"
        self._server_detects_turns = True
        self._request = ResponseRequest("stream_mic")

    @property
    def lost(self) -> int:
        """How many samples never reached the server: the microphone lost them, or the network lagged too long."""
        return self._lost_before + self._queue.lost

    @property
    def is_pressed(self) -> bool:
        """Whether the push-to-talk key is down."""
        return self._key.is_pressed

    def __enter__(self) -> Self:
        """Open the recording. It may be entered again inside; leaving the outermost closes it."""
        if self._entered == 0 and self._recording_path is not None:
            from ..host.wav_writer import WavWriter

            self._recording = WavWriter(self._recording_path, self._microphone.rate)
        self._entered += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._entered -= 1
        if self._entered == 0 and self._recording is not None:
            self._recording.close()
            self._recording = None

    def register_send_with_handlers(self, send: Send) -> None:
        """Take the ``send`` of ``hook_handlers``."""
        self._send = send.by("StreamMic")

    def press(self) -> None:
        """Begin to listen: the push-to-talk key went down.

        Raises:
            HandlerError: the gate is not ``"push_to_talk"``.
        """
        self._check_gate()
        self._end_turn()
        self._key.press()

    def release(self) -> None:
        """Cease to listen. Where the server does not detect turns, commit the turn and ask for the answer.

        Less than 100 ms is no turn: it is cleared. The answer is asked for once no other response is open.

        Raises:
            HandlerError: the gate is not ``"push_to_talk"``.
        """
        self._check_gate()
        if not self._key.is_pressed:
            return
        released_at = self._clock.now()
        self._key.release(released_at)
        if self._has_ended or not self._is_streaming:
            self._end_turn()
        else:
            registered(self._send, "StreamMic").spawn(self._end_turn_at_last(released_at), name="end the turn")

    async def _end_turn_at_last(self, released_at: float) -> None:
        """End the turn although no later sound has shown that all of it has come: the microphone stands still."""
        await self._clock.sleep_until(released_at + _ON_THE_WAY_S)
        if self._key.released_at == released_at:
            self._end_turn()

    def _end_turn(self) -> None:
        turn_end = self._key.end()
        if turn_end is not None and not self._server_detects_turns:
            self._queue.mark(turn_end)
            self._changed.set()

    def _check_gate(self) -> None:
        if self._gate != "push_to_talk":
            raise HandlerError("StreamMic was made without a key to press: make it with gate='push_to_talk'.")

    def _session(self, event: Any, _metadata: Metadata) -> None:
        session = read(event, "session")
        self._session_type = read_text(session, "type") or self._session_type
        self._server_detects_turns = self._session_type == "translation" or not is_null(
            read(read(session, "audio"), "input"), "turn_detection"
        )
        try:
            self._encoder.use(format_in(session, "input"))
        except FormatError as error:
            _logger.warning("%s The microphone is sent as %s.", error, self._encoder.format.type)
        if not self._is_streaming:
            self._is_streaming = True
            send = registered(self._send, "StreamMic")
            send.spawn(self._read(), name="read the microphone")
            send.spawn(self._stream(), name="stream the microphone")

    async def _read(self) -> None:
        frames = self._microphone.frames()
        async with AsyncExitStack() as stack:
            stack.enter_context(self)
            if hasattr(frames, "aclose"):
                await stack.enter_async_context(aclosing(cast("AsyncGenerator[Frame]", frames)))
            async for frame in frames:
                self._hear(frame)
                self._changed.set()
        _logger.info("The microphone ended.")
        self._has_ended = True
        self._end_turn()
        self._changed.set()

    def _hear(self, frame: Frame) -> None:
        self._lost_before += frame.lost
        if self._key.released_at is not None and frame.time >= self._key.released_at:
            self._end_turn()
        is_shut = self._gate == "push_to_talk" and not self._key.is_listening
        samples = frame.samples * 0 if self.mute or is_shut else frame.samples
        self.level = self._level_of(samples)
        if is_shut and not self._server_detects_turns:
            self._pre_roll.put(frame.samples * 0 if self.mute else frame.samples)
            return
        self._key.hear(len(samples))
        for sound in (self._pre_roll.take_samples(1), samples):
            if sound is not None:
                self._queue.put(sound)
                if self._recording is not None:
                    self._recording.write(sound)

    async def _stream(self) -> None:
        send = registered(self._send, "StreamMic")
        try:
            while True:
                if (samples := self._queue.take_samples(self._least())) is not None:
                    await self._append(send, self._encoder.process(samples))
                elif (mark := self._queue.take_mark()) is not None:
                    await self._append(send, self._encoder.finish())
                    await send({"type": f"input_audio_buffer.{mark}"})
                    if mark == "commit" and self._session_type == "realtime":
                        self._request.want()
                    if (request := self._next_request()) is not None:
                        await send(request)
                elif self._has_ended:
                    await self._append(send, self._encoder.finish())
                    return
                else:
                    self._changed.clear()
                    await self._changed.wait()
        except ConnectionLost:
            return  # keep_receiving tells it

    def _least(self) -> int:
        """Return how many samples are sent at least; what is left of a microphone that ended is sent however short."""
        frame_ms = _TRANSLATION_FRAME_MS if self._session_type == "translation" else self._frame_ms
        return 1 if self._has_ended else self._microphone.rate * frame_ms // 1000

    async def _append(self, send: Send, data: bytes) -> None:
        if data:
            scope = "session." if self._session_type == "translation" else ""
            audio = pybase64.b64encode_as_string(data)
            await send({"type": f"{scope}input_audio_buffer.append", "audio": audio})

    def _next_request(self) -> dict[str, Any] | None:
        """Ask for the answer to what was committed, unless a response is open or the user talks on."""
        return None if self._key.is_pressed else self._request.take()

    async def _send_quietly(self, event: dict[str, Any]) -> None:
        with suppress(ConnectionLost):
            await registered(self._send, "StreamMic")(event)

    def _response_created(self, event: Any, _metadata: Metadata) -> None:
        response = read(event, "response")
        response_id = read_id(response, "id")
        if response_id is not None and not is_null(response, "conversation_id"):
            self._request.created(response_id)

    def _response_done(self, event: Any, _metadata: Metadata) -> None:
        response_id = read_id(read(event, "response"), "id")
        if response_id is not None:
            self._request.done(response_id)
        if (request := self._next_request()) is not None:
            registered(self._send, "StreamMic").spawn(self._send_quietly(request), name="ask for a response")

    def _error(self, event: Any, metadata: Metadata) -> None:
        error = read(event, "error")
        if self._request.refused(read_id(error, "event_id"), read_text(error, "code")):
            HANDLED.put(metadata, True)

    server_event_handler = by_type(
        {
            "session.created": _session,
            "session.updated": _session,
            "response.created": _response_created,
            "response.done": _response_done,
            "error": _error,
        }
    )
