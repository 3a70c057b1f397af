"""Ask, and await the finished answer: for scripts, and for whatever is a question and not a conversation."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..builders import user_image, user_text
from ..clock import Clock, SystemClock
from ..closing import ABNORMAL, Closing
from ..errors import ConnectionLost, RefusedError
from ..handlers import HANDLED, Metadata, for_types
from ..ports import Send
from ..resume.frames import CONNECTION_LOST
from ..state.answer import Answer, answer_of
from ..state.reading import plain_dict, read, read_id, read_text
from ..state.response_tag import CREATE_ID, tag_of
from ..tasks import within
from .registered_send import registered

if TYPE_CHECKING:
    from .call_tools import CallTools

_UNANSWERED = "What was asked was not answered."

_REMEMBERED = 64
"""How many updates may be unanswered; the oldest are given up."""


class Ask:
    """Send a question and await its answer. Hook both handlers; others' events pass.

    A response is known by its request, in its metadata: those that others ask for, or that the server begins by itself,
    are not mistaken for it.
    """

    def __init__(
        self, *, timeout_s: float = 60, call_tools: CallTools | None = None, clock: Clock | None = None
    ) -> None:
        """Make one.

        Args:
            timeout_s: how long an answer may take, unless the question says otherwise.
            call_tools: answers calls; an answer that only calls its functions is not the end then, and is gone on with.
            clock: the machine's own by default.
        """
        self._timeout_s = timeout_s
        self._call_tools = call_tools
        self._clock = clock or SystemClock()
        self._send: Send | None = None
        self._prefix = f"ask_{secrets.token_hex(3)}"
        self._count = 0
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._updates: deque[str | None] = deque(maxlen=_REMEMBERED)

    def register_send_with_handlers(self, send: Send) -> None:
        """Take the ``send`` of ``hook_handlers``."""
        self._send = send.by("Ask")
        self._send.on_end(self._ended)

    async def text(self, text: str, **response: Any) -> Answer:
        """Say something in the conversation, and return the answer, written.

        Args:
            text: what the user says.
            response: fields of ``response.create``, and ``timeout_s``.

        Raises:
            RefusedError: the server refused it, or the response failed.
            TimeoutError: there was no answer in time.
            ConnectionLost: the connection is gone, or the session that was answering.
        """
        return await self._about(user_text(text), **response)

    async def image(self, image: str | Path | bytes, text: str | None = None, **response: Any) -> Answer:
        """Show an image in the conversation, and return the answer, written; otherwise as ``text``.

        Raises:
            FormatError: it is no image that the API takes.
        """
        return await self._about(user_image(image, text=text), **response)

    async def response(self, *, timeout_s: float | None = None, **response: Any) -> Answer:
        """Ask for a response, and return it; ``conversation="none"`` asks beside the conversation.

        Args:
            timeout_s: how long it may take.
            response: fields of ``response.create``: ``instructions``, ``input``, ``output_modalities``, ...

        Raises:
            RefusedError: the server refused it, or the response failed.
            TimeoutError: there was no answer in time.
            ConnectionLost: the connection is gone, or the session that was answering.
        """
        event_id = self._new_id()
        return await self._answer([self._request(event_id, response)], event_id, timeout_s)

    async def update(self, session: Mapping[str, Any], *, timeout_s: float | None = None) -> dict[str, Any]:
        """Update the session, and return it as the server then states it.

        Raises:
            RefusedError: the server refused it, and nothing was changed.
            TimeoutError: there was no answer in time.
            ConnectionLost: the connection is gone, or the session that was answering.
        """
        event_id = self._new_id()
        event = {"type": "session.update", "event_id": event_id, "session": {"type": "realtime", **session}}
        return await self._answer([event], event_id, timeout_s)

    @for_types(["session.update"])
    def client_event_handler(self, event: Any, metadata: Metadata, connection: object) -> tuple[Any, Metadata]:
        """Watch ``session.update``: the server answers updates in their order."""
        if event["type"] == "session.update":
            self._updates.append(event.get("event_id"))
        return event, metadata

    @for_types(["response.done", "session.updated", "error"])
    def server_event_handler(self, event: Any, metadata: Metadata, connection: object) -> tuple[Any, Metadata]:
        """Watch for answers."""
        match event.type:
            case "response.done":
                self._done(read(event, "response"), metadata)
            case "session.updated" if self._updates:
                self._settle(self._updates.popleft(), plain_dict(read(event, "session")))
            case "error":
                self._refused(read(event, "error"), metadata)
            case _:
                pass
        return event, metadata

    async def _about(self, item: dict[str, Any], *, timeout_s: float | None = None, **response: Any) -> Answer:
        event_id = self._new_id()
        create = self._request(event_id, {"output_modalities": ["text"], **response})
        return await self._answer([{**item, "event_id": f"{event_id}_item"}, create], event_id, timeout_s)

    def _request(self, event_id: str, response: dict[str, Any]) -> dict[str, Any]:
        metadata = {**plain_dict(response.get("metadata")), CREATE_ID: event_id}
        return {"type": "response.create", "event_id": event_id, "response": {**response, "metadata": metadata}}

    async def _answer(self, events: list[dict[str, Any]], event_id: str, timeout_s: float | None) -> Any:
        """Send events, and wait for what settles them, whichever of them that is."""
        send = registered(self._send, "Ask")
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.update(dict.fromkeys((event["event_id"] for event in events), answer))
        limit_s = self._timeout_s if timeout_s is None else timeout_s
        try:
            for event in events:
                await send(event)
            return await within(limit_s, self._clock, _result(answer))
        except TimeoutError:
            raise TimeoutError(
                f"The server did not answer {events[-1]['type']} {event_id} within {limit_s:g} s."
            ) from None
        finally:
            for event in events:
                del self._waiting[event["event_id"]]

    def _done(self, response: Any, metadata: Metadata) -> None:
        answer, tag = answer_of(response), tag_of(response)
        error = read(read(response, "status_details"), "error")
        if self._goes_on(answer):
            return
        if read_text(error, "code") == CONNECTION_LOST:
            self._fail(tag, ConnectionLost(ABNORMAL, read_text(error, "message") or "", advice=_UNANSWERED))
        elif answer.status != "failed":
            self._settle(tag, answer)
        elif not HANDLED.get(metadata) and self._refuse(tag, f"The response {answer.response_id} failed", error):
            HANDLED.put(metadata, True)  # where it was handled before, it is asked again

    def _goes_on(self, answer: Answer) -> bool:
        """Tell whether functions are being called, after which the model goes on."""
        tools = self._call_tools
        if tools is None or answer.status not in ("completed", "failed"):
            return False
        return any(tools.answers(call.name) for call in answer.calls)

    def _refused(self, error: Any, metadata: Metadata) -> None:
        event_id = read_id(error, "event_id")
        if event_id in self._updates:
            self._updates.remove(event_id)
        if self._refuse(event_id, "The server refused", error):
            HANDLED.put(metadata, True)

    def _refuse(self, event_id: str | None, what: str, error: Any) -> bool:
        """Raise an error where it is awaited; tell whether somebody does."""
        code, told = read_text(error, "code"), read_text(error, "message") or "it did not say why"
        refusal = RefusedError(f"{what}: {told} ({code or 'no code'})", code=code, param=read_text(error, "param"))
        return self._fail(event_id, refusal)

    def _ended(self, closing: Closing) -> None:
        for event_id in self._waiting:
            self._fail(event_id, closing.as_error(_UNANSWERED))

    def _fail(self, event_id: str | None, error: Exception) -> bool:
        answer = self._waiting.get(event_id or "")
        if answer is None or answer.done():
            return False
        answer.set_exception(error)
        return True

    def _settle(self, event_id: str | None, result: Any) -> None:
        answer = self._waiting.get(event_id or "")
        if answer is not None and not answer.done():
            answer.set_result(result)

    def _new_id(self) -> str:
        self._count += 1
        return f"{self._prefix}_{self._count}"


async def _result(answer: asyncio.Future[Any]) -> Any:
    return await answer
