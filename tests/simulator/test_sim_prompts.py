"""What a model is given, what of it is cached, and what it costs: long conversations, images, reasoning, limits."""

import base64
import itertools
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_realtime_api_utils.simulator.commands import Think
from openai_realtime_api_utils.simulator.conversation import Entry
from openai_realtime_api_utils.simulator.engine import Call, Fail
from openai_realtime_api_utils.simulator.images import image_tokens
from openai_realtime_api_utils.simulator.prompt_truncation import fitted
from openai_realtime_api_utils.simulator.settings import Settings
from openai_realtime_api_utils.simulator.tokens import Count, count_item
from simulated import Wire, of, only, types, update, user_says

reported = pytest.mark.reported
CREATE = {"type": "response.create"}
TEXT = update(output_modalities=["text"])


def usages(wire):
    return [event["response"]["usage"] for event in of(wire.events, "response.done")]


def converse(wire, *said):
    for each in said:
        wire.send(user_says(each), CREATE)
        wire.wait(20)
    return usages(wire)


def cached(usage):
    return usage["input_token_details"]["cached_tokens"]


def test_cache_grows_with_a_conversation():
    """Each response finds all that came before it cached, in blocks of 64."""
    wire = Wire(["An answer of some length, so that it counts. " * 6] * 5)
    counts = converse(wire, *["A question that is not too short either. " * 6] * 5)
    for before, after in itertools.pairwise(counts):
        assert cached(after) % 64 == 0
        assert before["input_tokens"] - 64 < cached(after) <= after["input_tokens"]


def test_response_beside_does_not_spoil_the_cache():
    """A response out of band with a context of its own leaves the conversation cached."""
    wire = Wire(["Long enough to count for something. " * 8] * 3)
    converse(wire, "A question. " * 30)
    wire.send({"type": "response.create", "response": {"conversation": "none", "input": []}})
    wire.wait(20)
    first, beside, last = converse(wire, "Another.")
    assert cached(beside) <= beside["input_tokens"]
    assert cached(last) >= first["input_tokens"] - 64


@pytest.mark.parametrize("change", ["instructions", "tools", "deletion"])
def test_what_busts_the_cache(change):
    """Other instructions, other tools or an early item that is gone: nothing after it is cached."""
    wire = Wire(["Certainly. " * 30] * 2)
    (first,) = converse(wire, "A question. " * 60)
    if change == "instructions":
        wire.send(update(instructions="Be brief."))
    elif change == "tools":
        wire.send(update(tools=[{"type": "function", "name": "f"}]))
    else:
        wire.send({"type": "conversation.item.delete", "item_id": wire.session.conversation.entries[0].item["id"]})
    _, second = converse(wire, "And?")
    assert cached(second) < first["input_tokens"] - 100


def long_conversation(truncation, *, limit=None):
    wire = Wire(["Well."] * 20, settings=Settings(input_tokens=limit))
    wire.send(update(output_modalities=["text"], truncation=truncation))
    for i in range(10):
        wire.send(user_says(f"{i} " + "word " * 79))
    return wire


RATIO = {"type": "retention_ratio", "retention_ratio": 0.5, "token_limits": {"post_instructions": 600}}


def given_numbers(wire):
    """Return which of the numbered items the model was given last."""
    items = wire.commands_of(Think)[-1].turn.items
    return [int(item["content"][0]["text"].split()[0]) for item in items if item["role"] == "user"]


def test_auto_truncation():
    """By default the oldest items go until the rest fits; they stay in the conversation."""
    wire = long_conversation("auto", limit=600)
    wire.send(CREATE)
    numbers = given_numbers(wire)
    assert numbers == list(range(numbers[0], 10))
    assert 3 <= numbers[0] <= 6
    assert len(wire.session.conversation.entries) == 10


def test_retention_ratio():
    """With a ratio more goes at once, and then nothing for a while, so that the cache holds."""
    wire = long_conversation(RATIO)
    wire.send(CREATE)
    wire.wait(5)
    assert given_numbers(wire) == [7, 8, 9]
    wire.send(user_says("10 and"), CREATE)
    assert given_numbers(wire) == [7, 8, 9, 10]


def test_under_the_limit_nothing_goes():
    """What fits is given whole."""
    wire = long_conversation("auto")
    wire.send(CREATE)
    assert given_numbers(wire) == list(range(10))


@reported
def test_disabled_truncation():
    """Where nothing may be left out, a response is refused, and comes again once items are deleted."""
    wire = long_conversation("disabled", limit=600)
    (error,) = wire.send(CREATE)
    assert error["error"]["code"] == "context_length_exceeded"
    for entry in wire.session.conversation.entries[:8]:
        wire.send({"type": "conversation.item.delete", "item_id": entry.item["id"]})
    assert wire.send(CREATE)[0]["type"] == "response.created"


def test_own_input_is_not_truncated():
    """A response with an input of its own is given just that."""
    wire = long_conversation("auto", limit=600)
    wire.send({"type": "response.create", "response": {"input": []}})
    assert wire.commands_of(Think)[-1].turn.items == []


@reported
def test_token_limits_beyond_the_window():
    """A limit of one's own cannot be above what the model takes."""
    truncation = {"type": "retention_ratio", "retention_ratio": 1.0, "token_limits": {"post_instructions": 28_225}}
    (error,) = Wire(model="gpt-realtime").send(update(truncation=truncation))
    assert error["error"]["param"] == "session.truncation.token_limits.post_instructions"
    assert Wire(model="gpt-realtime-2.1").send(update(truncation=truncation))[0]["type"] == "session.updated"


def message(i, text):
    return Entry({"id": f"i{i}", "type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]})


@settings(max_examples=50)
@given(st.lists(st.integers(0, 40), max_size=15), st.integers(0, 60), st.sampled_from([0.0, 0.5, 0.8, 1.0]))
def test_truncation_keeps_the_latest(lengths, limit, ratio):
    """What is kept is the end of the conversation, fits, and is the same when it is asked for again."""
    entries = [message(i, "x" * n) for i, n in enumerate(lengths)]
    policy = {"type": "retention_ratio", "retention_ratio": ratio, "token_limits": {"post_instructions": limit}}
    kept = fitted(entries, policy, Count(), 1000)
    assert kept == entries[len(entries) - len(kept) :]
    assert sum(count_item(entry).total for entry in kept) <= limit
    assert fitted(entries, policy, Count(), 1000) == kept


def test_output_goes_with_its_call():
    """An output whose call was left out is left out as well."""
    call = Entry({"id": "c", "type": "function_call", "name": "f" * 40, "call_id": "1", "arguments": "{}"})
    output = Entry({"id": "o", "type": "function_call_output", "call_id": "1", "output": "x"})
    last = message(1, "x" * 20)
    assert fitted([call, output, last], "auto", Count(), 8) == [last]


def png(width, height):
    data = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + struct.pack(">II", width, height) + bytes(10)
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def jpeg(width, height):
    data = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08" + struct.pack(">HH", height, width) + bytes(10)
    return f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"


def picture(url, **fields):
    content = [{"type": "input_image", "image_url": url, **fields}]
    return {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": content}}


@pytest.mark.parametrize(
    ("url", "detail", "count"),
    [
        (png(512, 512), "high", 85 + 170),
        (png(1024, 1024), "auto", 85 + 4 * 170),
        (png(4096, 2048), "high", 85 + 6 * 170),
        (png(4096, 2048), "low", 85),
        (jpeg(1024, 512), "high", 85 + 2 * 170),
        ("data:image/png;base64,AAAA", "high", 85 + 170),
        ("data:image/jpeg;base64,/9g=", "high", 85 + 170),
        ("data:image/png;base64,iVBORw0=", "high", 85 + 170),
    ],
)
@reported
def test_image_tokens(url, detail, count):
    """An image costs by its tiles; one that cannot be read, one tile."""
    assert image_tokens(url, detail) == count


def test_image_in_a_conversation():
    """An image is an item like any other, and counted apart."""
    wire = Wire(["A cat."])
    added, done = wire.send(picture(png(512, 512), detail="high"))
    assert added["item"] == done["item"]
    assert added["item"]["content"] == [{"type": "input_image", "image_url": png(512, 512), "detail": "high"}]
    (usage,) = converse(wire, "What is it?")
    assert usage["input_token_details"]["image_tokens"] == 255
    assert wire.commands_of(Think)[0].turn.items[0]["content"][0]["image_url"] == png(512, 512)


@pytest.mark.parametrize(
    "url", ["https://example.com/cat.png", "data:image/gif;base64,AAAA", "data:image/png;base64,!!", 5]
)
@reported
def test_what_is_no_image(url):
    """Only PNG and JPEG in data URIs are taken."""
    (error,) = Wire().send(picture(url))
    assert error["error"]["param"] == "item.content[0].image_url"


@pytest.mark.parametrize(
    ("model", "effort", "told"),
    [
        ("gpt-realtime-2.1-mini", None, True),
        ("gpt-realtime-2.1", None, False),
        ("gpt-realtime-2.1", "high", True),
        ("gpt-realtime", None, False),
    ],
)
def test_reasoning_tokens(model, effort, told):
    """The mini model tells what it thought with, others where an effort is asked for; it is counted as text."""
    wire = Wire(["Yes."], model=model)
    wire.send(update(reasoning=effort and {"effort": effort}, output_modalities=["text"]))
    (usage,) = converse(wire, "Is it?")
    details = usage["output_token_details"]
    assert ("reasoning_tokens" in details) is told
    assert details["text_tokens"] == details.get("reasoning_tokens", 0) + 1


@pytest.mark.parametrize(("name", "value"), [("reasoning", {"effort": "low"}), ("parallel_tool_calls", True)])
@reported
def test_only_for_reasoning_models(name, value):
    """Models before 2.x take neither a reasoning effort nor parallel calls."""
    wire = Wire(model="gpt-realtime")
    (error,) = wire.send(update(**{name: value}))
    assert (error["error"]["code"], error["error"]["param"]) == ("unsupported_parameter", f"session.{name}")
    (error,) = wire.send({"type": "response.create", "response": {name: value}})
    assert error["error"]["param"] == f"response.{name}"


def limits(wire):
    return [event["rate_limits"][0] for event in of(wire.events, "rate_limits.updated")]


def test_remaining_falls_and_comes_back():
    """What remains falls with every response, and fills up again over a minute."""
    wire = Wire(["Well."] * 9, settings=Settings(tokens_per_minute=10_000))
    converse(wire, "One. " * 200)
    first = limits(wire)[0]
    assert first["remaining"] == 10_000 - usages(wire)[0]["total_tokens"]
    assert first["reset_seconds"] == pytest.approx(60 * (10_000 - first["remaining"]) / 10_000, abs=0.01)
    for _ in range(3):
        wire.send(CREATE)
        wire.wait(1.2)
    remaining = [each["remaining"] for each in limits(wire)]
    assert remaining[1:] == sorted(remaining[1:], reverse=True)
    wire.wait(60)
    wire.send(CREATE)
    wire.wait(5)
    assert limits(wire)[-1]["remaining"] == 10_000 - usages(wire)[-1]["total_tokens"]


def test_recorded_rate_limit():
    """At the default limit ``reset_seconds`` is of the size that was recorded."""
    wire = Wire(["Well."])
    converse(wire, "One. " * 800)
    (limit,) = limits(wire)
    assert (limit["name"], limit["limit"], limit["reset_seconds"]) == ("tokens", 15_000_000, 0.004)


def test_limit_is_reached():
    """Without tokens left a response fails, until some come back; the model is not asked."""
    wire = Wire(["Well."], settings=Settings(tokens_per_minute=30))
    wire.send(TEXT, CREATE)
    wire.wait(1)
    wire.send(CREATE)
    wire.wait(1)
    failed = of(wire.events, "response.done")[-1]["response"]
    assert failed["status_details"]["error"]["code"] == "rate_limit_exceeded"
    assert len(wire.commands_of(Think)) == 1
    wire.wait(60)
    wire.send(CREATE)
    assert len(wire.commands_of(Think)) == 2


@reported
def test_content_filter():
    """A response may be cut by a filter, in the middle of what it says."""
    wire = Wire([["I will tell you. ", Fail("content_filter", "")]])
    wire.send(TEXT, CREATE)
    response = only(wire.wait(5), "response.done")["response"]
    assert (response["status"], response["status_details"]["reason"]) == ("incomplete", "content_filter")
    assert response["output"][0]["status"] == "incomplete"


@reported
def test_voice_of_a_response_is_locked_too():
    """A response of the conversation cannot speak in another voice than those before it; one beside it can."""
    wire = Wire(["One.", "Two."])
    converse(wire, "Hello.")
    asked = {"audio": {"output": {"voice": "cedar"}}}
    (error,) = wire.send({"type": "response.create", "response": asked})
    assert error["error"]["code"] == "cannot_update_voice"
    (created,) = wire.send({"type": "response.create", "response": asked | {"conversation": "none"}})
    assert created["response"]["audio"]["output"]["voice"] == "cedar"


@reported
def test_speed_changes_between_turns_only():
    """Another speed is refused while a response is in progress; the same one is no change."""
    wire = Wire(["A sentence that takes a while to say."])
    wire.send(CREATE)
    assert types(wire.send(update(audio={"output": {"speed": 1.0}}))) == ["session.updated"]
    (error,) = wire.send(update(audio={"output": {"speed": 1.2}}))
    assert error["error"]["param"] == "session.audio.output.speed"
    wire.wait(10)
    assert types(wire.send(update(audio={"output": {"speed": 1.2}}))) == ["session.updated"]


@reported
def test_tracing_is_set_once():
    """Tracing cannot be changed once it is on."""
    wire = Wire()
    assert types(wire.send(update(tracing="auto"), update(tracing="auto"))) == ["session.updated"] * 2
    (error,) = wire.send(update(tracing=None))
    assert error["error"]["param"] == "session.tracing"


def test_sound_of_the_last_five_minutes_is_kept():
    """Older items come without their sound."""
    wire = Wire(["x" * 2000] * 4)
    for _ in range(4):
        wire.send(CREATE)
        wire.wait(60)
    kept = []
    for entry in wire.session.conversation.entries:
        (event,) = wire.send({"type": "conversation.item.retrieve", "item_id": entry.item["id"]})
        kept.append("audio" in event["item"]["content"][0])
    assert kept == [False, False, True, True]


def test_parallel_calls_are_answered_together():
    """All outputs are in the context of the response that follows."""
    wire = Wire([[Call("f", {"a": 1}), Call("g")], "Done."])
    wire.send(TEXT, CREATE)
    events = wire.wait(5)
    for done in of(events, "response.function_call_arguments.done"):
        item = {"type": "function_call_output", "call_id": done["call_id"], "output": done["name"]}
        wire.send({"type": "conversation.item.create", "item": item})
    wire.send(CREATE)
    kinds = [item["type"] for item in wire.commands_of(Think)[-1].turn.items]
    assert kinds == ["function_call"] * 2 + ["function_call_output"] * 2
