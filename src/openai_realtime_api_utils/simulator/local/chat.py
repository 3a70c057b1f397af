"""Think with a chat model: any endpoint that speaks OpenAI's chat completions, on this machine or elsewhere."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

from ...clock import Clock
from ...errors import SimulatorError
from ..engine import Call, Fail, Say, Thought, Turn
from .chat_messages import request_for
from .sentences import Sentences


@dataclass(frozen=True)
class ChatEndpoint:
    """Say where a chat model is."""

    url: str
    """The base, as in ``http://127.0.0.1:11434/v1``."""
    model: str
    api_key: str = field(default="none", repr=False)
    """Endpoints on one's own machine mostly take any."""
    timeout_s: float = 60.0
    """The longest silence of the endpoint, in seconds of the machine."""


class ChatMind:
    """Ask a chat model for each answer, and pass it on sentence by sentence while it is being written."""

    def __init__(self, endpoint: ChatEndpoint, *, clock: Clock) -> None:
        """Prepare to ask; nothing is connected yet.

        Raises:
            SimulatorError: the URL is none.
        """
        from openai import AsyncOpenAI

        parts = urlsplit(endpoint.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise SimulatorError(
                f"{endpoint.url!r} is no URL of a chat endpoint: give one like http://127.0.0.1:8080/v1."
            )
        self.name = f"the chat model {endpoint.model} at {parts.hostname}{f':{parts.port}' if parts.port else ''}"
        """Which model, and where; without what else the URL may hold."""
        self._endpoint = endpoint
        self._clock = clock
        self._client = AsyncOpenAI(
            base_url=endpoint.url, api_key=endpoint.api_key, timeout=endpoint.timeout_s, max_retries=0
        )

    async def think(self, turn: Turn) -> AsyncIterator[Thought]:
        """Answer a turn; whatever goes wrong ends it as one ``Fail``."""
        sentences = Sentences()
        calls: dict[int, _PartialCall] = {}
        is_empty = True
        try:
            create: Any = self._client.chat.completions.create
            stream = await self._result(create(**request_for(turn, self._endpoint.model)))
            async with stream:
                chunks = aiter(stream)
                while (chunk := await self._result(anext(chunks, None))) is not None:
                    for choice in chunk.choices[:1]:
                        for sentence in sentences.feed(choice.delta.content or ""):
                            is_empty = False
                            yield Say(sentence)
                        for part in choice.delta.tool_calls or ():
                            calls.setdefault(part.index, _PartialCall()).add(part.function)
            for sentence in sentences.finish():
                is_empty = False
                yield Say(sentence)
            for _, call in sorted(calls.items()):
                is_empty = False
                yield call.whole()
        except SimulatorError as error:
            yield Fail("chat_failed", self._told(str(error)))
        else:
            if is_empty:
                yield Fail("chat_empty", self._told("has answered with nothing"))

    async def close(self) -> None:
        """Close the connections to the endpoint."""
        await self._client.close()

    async def _result(self, request: Awaitable[Any]) -> Any:
        """Await something of the endpoint, the clock standing still.

        Raises:
            SimulatorError: it failed; the message is the rest of a sentence about the endpoint.
        """
        from openai import APIConnectionError, APIStatusError, APITimeoutError

        try:
            with self._clock.working():
                return await request
        except APITimeoutError as error:
            raise SimulatorError(f"did not answer within {self._endpoint.timeout_s:g} s") from error
        except APIConnectionError as error:
            raise SimulatorError("cannot be reached: start it, or check its URL") from error
        except APIStatusError as error:
            raise SimulatorError(_meaning_of(error.status_code, error.message)) from error
        except Exception as error:  # what the SDK's HTTP library raises in mid-stream depends on its version
            raise SimulatorError(f"broke off ({str(error)[:200] or type(error).__name__})") from error

    def _told(self, what: str) -> str:
        return f"{self.name[0].upper()}{self.name[1:]} {what}.".replace(self._endpoint.api_key, "***")


class _PartialCall:
    """Collect a call that comes in pieces."""

    def __init__(self) -> None:
        self._name = ""
        self._arguments = ""

    def add(self, function: Any) -> None:
        if function is not None:
            self._name += function.name or ""
            self._arguments += function.arguments or ""

    def whole(self) -> Call:
        try:
            arguments: Any = json.loads(self._arguments or "{}")
        except ValueError:
            arguments = None
        if not isinstance(arguments, dict):
            raise SimulatorError(f"called {self._name} with {self._arguments[:80]!r}, which is no JSON object")
        return Call(self._name, cast("dict[str, Any]", arguments))


def _meaning_of(status: int, message: str) -> str:
    match status:
        case 401 | 403:
            return f"refused the key (HTTP {status}): check it"
        case 404:
            return "does not know this model or URL (HTTP 404): check both; the URL mostly ends in /v1"
        case _:
            return f"answered with HTTP {status}: {message[:200].rstrip('.')}"
