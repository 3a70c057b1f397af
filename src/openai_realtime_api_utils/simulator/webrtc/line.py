"""Carry one call: the caller's sound in, the assistant's out, and events both ways on a data channel."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING, Any

from aiortc import RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioResampler

from ...clock import Clock
from ...errors import SimulatorError
from ..base_session import MAIN
from ..engine import RATE
from ..refusals import Refusal
from .addresses import listen_at
from .offers import with_candidates
from .speech_track import SpeechTrack

if TYPE_CHECKING:
    from ..phone_call import PhoneCall

_logger = logging.getLogger(__name__)

CONNECT_S = 30.0
"""How long a caller may take, once answered, until its connection stands."""
_EVENTS_WAITING = 1024
"""Events of a caller that wait for its session; one who sends still more is hung up on."""
_UNSENT = 1024 * 1024
"""Bytes that wait in the data channel before no more are put in."""
_OVER = ("closed", "failed")


class WebRtcLine:
    """Be the service's end of a call's WebRTC connection."""

    def __init__(self, clock: Clock, addresses: Sequence[str] | None) -> None:
        """Prepare a line; ``accept`` answers the offer, ``carry`` runs the line.

        Args:
            clock: what is waited on.
            addresses: where it is reached; None for every address of this machine.
        """
        self._clock = clock
        self._addresses = addresses
        self._speech = SpeechTrack(clock)
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._peer.on("datachannel", self._has_channel)
        self._peer.on("track", self._has_track)
        self._peer.on("connectionstatechange", self._has_changed)
        self._channel: RTCDataChannel | None = None
        self._track: MediaStreamTrack | None = None
        self._received: deque[str | bytes] = deque()
        self._is_over = False
        self._news = asyncio.Event()
        """Set when anything of the above has changed; whoever waits clears it first."""
        self.say = self._speech.say
        self.hush = self._speech.hush

    async def accept(self, offer: str) -> str:
        """Answer an SDP offer with an SDP answer, every address in it.

        Raises:
            Refusal: it is no offer that can be answered.
        """
        try:
            await self._peer.setRemoteDescription(RTCSessionDescription(with_candidates(offer), "offer"))
            for transceiver in self._peer.getTransceivers():
                if transceiver.kind != "audio":
                    transceiver.direction = "inactive"
            self._peer.addTrack(self._speech)
            if self._addresses is not None:
                listen_at(self._peer, self._addresses)
            await self._peer.setLocalDescription(await self._peer.createAnswer())
        except Exception as error:
            _logger.debug("An SDP offer could not be answered.", exc_info=error)
            what = "The SDP offer could not be answered: send one as `createOffer()` makes it."
            raise Refusal(what, code="invalid_offer", param="sdp") from error
        return self._peer.localDescription.sdp

    async def carry(self, call: PhoneCall) -> None:
        """Carry sound and events until the call is over or the caller has gone."""
        async with asyncio.TaskGroup() as tasks:
            beside = [
                tasks.create_task(self._hear(call), name=f"sound of call {call.id}"),
                tasks.create_task(self._give_up(), name=f"patience with call {call.id}"),
            ]
            await call.attach(self._events(), self._send, self._end, view=MAIN)
            call.hang_up()
            for task in beside:
                task.cancel()

    async def close(self) -> None:
        """Take leave of the caller."""
        self._finish()
        await self._peer.close()

    async def _hear(self, call: PhoneCall) -> None:
        await self._until(lambda: self._track is not None)
        track: Any = self._track
        if track is None:
            return
        resampler = AudioResampler(format="s16", layout="mono", rate=RATE)
        try:
            while True:
                for frame in resampler.resample(await track.recv()):
                    await call.speak(frame.to_ndarray()[0])
        except (MediaStreamError, SimulatorError):
            return  # the caller has muted for good, or the call is over

    async def _give_up(self) -> None:
        await self._clock.sleep_until(self._clock.now() + CONNECT_S)
        if self._peer.connectionState != "connected":
            self._finish()

    async def _events(self) -> AsyncIterator[str | bytes]:
        while True:
            await self._until(lambda: bool(self._received))
            if not self._received:
                return
            yield self._received.popleft()

    async def _send(self, frame: str) -> None:
        await self._until(lambda: self._channel is not None and self._channel.bufferedAmount < _UNSENT)
        if self._channel is not None and self._channel.readyState == "open":
            self._channel.send(frame)

    async def _end(self, _code: int, _reason: str) -> None:
        self._finish()

    async def _until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so, or the line is over."""
        while not (is_so() or self._is_over):
            self._news.clear()
            await self._news.wait()

    def _has_track(self, track: MediaStreamTrack) -> None:
        if track.kind == "audio" and self._track is None:
            self._track = track
            self._news.set()

    def _has_channel(self, channel: RTCDataChannel) -> None:
        if self._channel is None:
            self._channel = channel
            channel.bufferedAmountLowThreshold = _UNSENT - 1
            channel.on("bufferedamountlow", self._news.set)
            channel.on("message", self._has_received)
            self._news.set()

    def _has_received(self, message: str | bytes) -> None:
        if len(self._received) >= _EVENTS_WAITING:
            self._finish()
            return
        self._received.append(message)
        self._news.set()

    def _has_changed(self) -> None:
        if self._peer.connectionState in _OVER:
            self._finish()

    def _finish(self) -> None:
        self._is_over = True
        self._news.set()
