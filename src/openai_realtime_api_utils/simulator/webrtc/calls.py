"""Take the calls of one server: let a caller in, answer its offer, and hold its call until either side hangs up."""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ...errors import MissingExtraError, require
from ..http_messages import HttpAnswer, HttpRequest, no_such_model, refusal, refused_by
from ..phone_call import begin_call
from ..refusals import Refusal
from ..rest import CALLS
from ..service import Service
from .offers import read_offer

if TYPE_CHECKING:
    from ..phone_call import PhoneCall
    from .line import WebRtcLine

_MOST = 100
"""Calls at a time; each decodes and encodes sound."""

_logger = logging.getLogger(__name__)


class WebRtcCalls:
    """Hold the calls of one server."""

    def __init__(self, service: Service, host: str) -> None:
        """Take no call yet.

        Args:
            service: what the sessions are made of.
            host: the address that the server listens on; a call is reached there, too.
        """
        self._service = service
        self._addresses = _reached_at(host)
        self._calls: set[asyncio.Task[None]] = set()

    async def answer(self, request: HttpRequest) -> HttpAnswer:
        """Answer the request that begins a call."""
        try:
            require("aiortc", extra="webrtc", needed_by="A call by WebRTC")
        except MissingExtraError as error:
            return refusal(HTTPStatus.NOT_IMPLEMENTED, None, str(error))
        refused = self._service.refused_caller(request.key)
        if refused is not None:
            return refused
        if len(self._calls) >= _MOST:
            return refusal(HTTPStatus.SERVICE_UNAVAILABLE, None, f"{_MOST} calls go on: try again later.")
        try:
            return await self._begin(request)
        except Refusal as error:
            return refused_by(error)

    async def close(self) -> None:
        """Hang up on everybody."""
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    async def _begin(self, request: HttpRequest) -> HttpAnswer:
        from .line import WebRtcLine

        service, offer = self._service, read_offer(request)
        key = service.keys.find(request.key)
        given: dict[str, Any] | None = offer.session
        if key is not None and key.given is not None:
            given = key.given | (given or {})
        model = (given or {}).get("model") or request.query.get("model") or (key.model if key is not None else None)
        if service.refuses_model(model):
            return no_such_model(model)
        line = WebRtcLine(service.clock, self._addresses)
        try:
            sdp = await line.accept(offer.sdp)
            call = begin_call(service, model=model, given=given, on_speech=line.say, on_hush=line.hush)
        except BaseException:
            await line.close()
            raise
        holding = asyncio.get_running_loop().create_task(self._hold(call, line), name=f"call {call.id}")
        self._calls.add(holding)
        holding.add_done_callback(self._calls.discard)
        headers = {"Location": f"{CALLS}/{call.id}"}
        return HttpAnswer(HTTPStatus.CREATED, sdp.encode(), "text/plain; charset=utf-8", headers)  # recorded answer

    async def _hold(self, call: PhoneCall, line: WebRtcLine) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(line.carry(call))  # before the session says that it was created
                tasks.create_task(call.run())
        except Exception:
            _logger.exception("The call %s failed.", call.id)
        finally:
            del self._service.calls[call.id]
            await line.close()


def _reached_at(host: str) -> list[str] | None:
    """Return the address that a call is reached at; None for all of this machine's."""
    if host in ("", "0.0.0.0", "::"):  # noqa: S104  (it is compared, not listened on)
        return None
    return ["127.0.0.1" if host == "localhost" else host]
