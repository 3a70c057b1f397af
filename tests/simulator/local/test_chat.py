"""Think with a chat endpoint: a small real one, over loopback."""

import asyncio
import json
import re
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from conversations import assistant, call, function, output, spoken, system, turn, user

from openai_realtime_api_utils.clock import ManualClock, SystemClock
from openai_realtime_api_utils.errors import SimulatorError
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.simulator.engine import Call, Fail, Say
from openai_realtime_api_utils.simulator.local.chat import ChatEndpoint, ChatMind
from openai_realtime_api_utils.simulator.local.chat_messages import messages_for, request_for

ASKED = turn(user("Hello"), instructions="Be kind.")


def text(piece: str) -> dict[str, Any]:
    """Return a delta with text."""
    return {"content": piece}


def tool_call(index: int, name: str | None, arguments: str) -> dict[str, Any]:
    """Return a delta with a piece of a call."""
    return {"tool_calls": [{"index": index, "function": {"name": name, "arguments": arguments}}]}


def chunk(delta: dict[str, Any]) -> bytes:
    """Return a delta as a server-sent event."""
    body = {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "m",
        "choices": [{"index": 0, "delta": delta}],
    }
    return b"data: " + json.dumps(body).encode() + b"\n\n"


class Endpoint:
    """Be a chat endpoint that answers each request with the same deltas, or an HTTP status."""

    def __init__(self, *deltas: dict[str, Any] | bytes, status: int = 200, hold: bool = False) -> None:
        self.deltas = deltas
        self.status = status
        self.hold = hold
        self.requests: list[dict[str, Any]] = []
        self.headers = ""
        self.left = asyncio.Event()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.headers = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(
                int(line.split(":")[1]) for line in self.headers.splitlines() if "content-length" in line.lower()
            )
            self.requests.append(json.loads(await reader.readexactly(length)))
            kind = "text/event-stream" if self.status == 200 else "application/json"
            writer.write(f"HTTP/1.1 {self.status} X\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n".encode())
            for delta in self.deltas:
                writer.write(delta if isinstance(delta, bytes) else chunk(delta))
                await writer.drain()
            if self.hold:
                await reader.read()
            elif self.status == 200:
                writer.write(b"data: [DONE]\n\n")
        finally:
            writer.close()
            self.left.set()

    @asynccontextmanager
    async def mind(self, clock=None, **options):
        """Serve, and yield a mind that asks here."""
        server = await asyncio.start_server(self.answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        mind = ChatMind(
            ChatEndpoint(f"http://127.0.0.1:{port}/v1", "small-model", **{"api_key": "sk-secret"} | options),
            clock=clock or SystemClock(),
        )
        try:
            yield mind
        finally:
            await mind.close()
            server.close()
            if self.requests:
                await self.left.wait()


async def thoughts(endpoint: Endpoint, asked=ASKED, **options) -> list[Any]:
    """Return what a mind thinks with this endpoint, whatever its port."""
    async with endpoint.mind(**options) as mind:
        return [somewhere(thought) async for thought in mind.think(asked)]


def somewhere(thought: Any) -> Any:
    """Return a thought without the port of an endpoint."""
    return (
        replace(thought, message=re.sub(r"127.0.0.1:\d+", "HERE", thought.message))
        if isinstance(thought, Fail)
        else thought
    )


def failure(what: str, code: str = "chat_failed") -> Fail:
    """Return what is told of the endpoint."""
    return Fail(code, f"The chat model small-model at HERE {what}.")


async def test_it_answers_sentence_by_sentence():
    """Deltas of any size come out as sentences."""
    endpoint = Endpoint(text("Good mor"), text("ning. How a"), text("re you?"))
    assert await thoughts(endpoint) == [Say("Good morning. "), Say("How are you?")]


async def test_it_asks_with_instructions_model_and_key():
    """The request is a streamed chat completion."""
    endpoint = Endpoint(text("Hi."))
    await thoughts(endpoint)
    messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello"}]
    assert endpoint.requests == [{"model": "small-model", "messages": messages, "stream": True}]
    assert "authorization: bearer sk-secret" in endpoint.headers.lower()


async def test_the_first_sentence_does_not_wait_for_the_last():
    """A sentence is passed on while the endpoint is still writing."""
    endpoint = Endpoint(text("One. Two"), hold=True)
    async with endpoint.mind() as mind, aclosing(mind.think(ASKED)) as answer:
        assert await anext(answer) == Say("One. ")


async def test_closing_early_lets_the_endpoint_go():
    """A cancelled response closes its connection."""
    endpoint = Endpoint(text("One. Two"), hold=True)
    async with endpoint.mind() as mind:
        async with aclosing(mind.think(ASKED)) as answer:
            await anext(answer)
        await endpoint.left.wait()


async def test_cancelling_a_silent_endpoint_lets_it_go():
    """A task that waits for the next piece can be cancelled."""
    endpoint = Endpoint(text("One. Two"), hold=True)
    async with endpoint.mind() as mind:

        async def read() -> None:
            async with aclosing(mind.think(ASKED)) as answer:
                async for _ in answer:
                    first.set()

        first = asyncio.Event()
        reading = asyncio.create_task(read())
        await first.wait()
        reading.cancel()
        assert isinstance((await asyncio.gather(reading, return_exceptions=True))[0], asyncio.CancelledError)
        await endpoint.left.wait()


async def test_calls_are_put_together():
    """Pieces of parallel calls become whole ones, behind the text."""
    endpoint = Endpoint(
        text("One moment."),
        tool_call(0, "get_weather", '{"city": '),
        tool_call(1, "get_time", ""),
        tool_call(0, None, '"Paris"}'),
    )
    assert await thoughts(endpoint) == [
        Say("One moment."),
        Call("get_weather", {"city": "Paris"}),
        Call("get_time", {}),
    ]


@pytest.mark.parametrize("arguments", ["{", "[1]"])
async def test_arguments_that_are_no_object_fail(arguments):
    """A call that nobody could make is told."""
    assert await thoughts(Endpoint(tool_call(0, "f", arguments))) == [
        failure(f"called f with {arguments!r}, which is no JSON object")
    ]


@pytest.mark.parametrize(
    ("status", "what"),
    [
        (401, "refused the key (HTTP 401): check it"),
        (403, "refused the key (HTTP 403): check it"),
        (404, "does not know this model or URL (HTTP 404): check both; the URL mostly ends in /v1"),
    ],
)
async def test_a_refusal_says_what_to_check(status, what):
    """Each status that the user can mend says how."""
    assert await thoughts(Endpoint(b"{}", status=status)) == [failure(what)]


async def test_another_status_is_told_without_the_key():
    """The endpoint's own words are passed on; the key is not."""
    body = json.dumps({"error": {"message": "overloaded, sk-secret"}}).encode()
    [failure] = await thoughts(Endpoint(body, status=500))
    assert "answered with HTTP 500" in failure.message
    assert "overloaded, ***" in failure.message
    assert "sk-secret" not in failure.message


async def test_an_endpoint_that_is_not_there_is_told():
    """A refused connection says what to do."""
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    mind = ChatMind(ChatEndpoint(f"http://127.0.0.1:{port}/v1", "small-model"), clock=SystemClock())
    answer = [somewhere(thought) async for thought in mind.think(ASKED)]
    await mind.close()
    assert answer == [failure("cannot be reached: start it, or check its URL")]


async def test_an_endpoint_that_falls_silent_is_told():
    """Silence beyond the limit is an error, not a wait."""
    assert (await thoughts(Endpoint(hold=True), timeout_s=0.05))[0].code == "chat_failed"


async def test_what_is_no_stream_breaks_off():
    """What was said before is kept, and the break is told after it."""
    answer = await thoughts(Endpoint(text("One. Two"), b"data: {not json\n\n"))
    assert answer[0] == Say("One. ")
    assert answer[1].code == "chat_failed"
    assert "broke off" in answer[1].message


async def test_nothing_at_all_is_a_failure():
    """An empty answer would leave the user waiting."""
    assert await thoughts(Endpoint()) == [failure("has answered with nothing", "chat_empty")]


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://host/v1", "http://", ""])
def test_a_url_that_is_none_is_told_where_it_is_built(url):
    """The message holds the URL and an example."""
    with pytest.raises(SimulatorError, match=r"is no URL of a chat endpoint: give one like http"):
        ChatMind(ChatEndpoint(url, "m"), clock=SystemClock())


def test_no_secret_is_shown():
    """Neither the endpoint's repr nor the mind's name holds a key or a password."""
    endpoint = ChatEndpoint("http://user:password@host:1/v1?key=k", "m", "sk-secret")
    assert "sk-secret" not in repr(endpoint)
    assert ChatMind(endpoint, clock=SystemClock()).name == "the chat model m at host:1"


def test_a_jumping_clock_stands_still_while_it_waits():
    """The endpoint's time is no time of a manual clock."""
    clock = ManualClock()

    async def main() -> float:
        sleeper = asyncio.create_task(clock.sleep_until(100.0))
        async with Endpoint(text("One. "), text("Two.")).mind(clock=clock) as mind:
            async for _ in mind.think(ASKED):
                pass
            thought_until = clock.now()
        await sleeper
        return thought_until

    assert fast_forward.run(main(), clock) == 0.0


def test_messages_hold_what_was_typed_said_and_shown():
    """Items become messages; what holds nothing is left out."""
    image = {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}
    shown = {"type": "message", "role": "user", "content": [image, {"type": "input_text", "text": "What is it?"}]}
    asked = turn(system("Be brief."), spoken("hello"), assistant("Hi."), spoken(None), shown)
    assert messages_for(asked) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": "Hi."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is it?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
            ],
        },
    ]


def test_calls_stand_directly_before_their_outputs():
    """Parallel calls share a message, rounds do not, and calls without output are left out."""
    asked = turn(
        *(call("a", "1"), call("b", "2"), output("one", "1"), output("two", "2")),
        *(call("c", "3"), output("three", "3"), call("open", "4"), user("Well?")),
    )
    roles = [
        (message["role"], [each["id"] for each in message.get("tool_calls", ())] or message.get("tool_call_id"))
        for message in messages_for(asked)
    ]
    assert roles == [
        ("assistant", ["1", "2"]),
        ("tool", "1"),
        ("tool", "2"),
        ("assistant", ["3"]),
        ("tool", "3"),
        ("user", None),
    ]


@pytest.mark.parametrize(
    ("choice", "translated"),
    [
        ("auto", {"tool_choice": "auto"}),
        ("required", {"tool_choice": "required"}),
        ({"type": "function", "name": "f"}, {"tool_choice": {"type": "function", "function": {"name": "f"}}}),
        ({"type": "mcp", "server_label": "x"}, {}),
    ],
)
def test_functions_and_the_choice_are_translated(choice, translated):
    """Functions are nested as chat endpoints want them; other tools are left out."""
    asked = turn(user("Hi"), tools=[function("f", "Do it."), {"type": "mcp", "server_label": "x"}], tool_choice=choice)
    request = request_for(asked, "m")
    schema = {"type": "object", "properties": {}, "required": []}
    tool = {"type": "function", "function": {"name": "f", "description": "Do it.", "parameters": schema}}
    assert {key: request[key] for key in request if key.startswith("tool")} == {"tools": [tool]} | translated
