"""The replica says what the server's events say, whatever order they come in."""

import sys
from pathlib import Path

import pytest

from made_events import added, made, message, response, spoken_answer, spoken_end
from openai_realtime_api_utils.audio.formats import PCMU
from openai_realtime_api_utils.state.conversation import Conversation, apply, apply_client


def replica(*events, **options):
    """Return a conversation that saw the events."""
    conversation = Conversation(**options)
    for event in events:
        apply(conversation, event)
    return conversation


def ids(conversation):
    return [item.id for item in conversation.items]


def transcription(kind, item_id="U", **fields):
    return made(f"conversation.item.input_audio_transcription.{kind}", item_id=item_id, content_index=0, **fields)


# Order.


def test_added_gives_the_order():
    """An item stands behind the one it was added after."""
    conversation = replica(added(message("A", text="1")), added(message("C", text="3"), "A"), added(message("B"), "A"))
    assert ["A", "B", "C"] == ids(conversation)
    assert "A" == conversation.item("B").previous_item_id


def test_done_does_not_give_the_order():
    """The closing record of what the model made may name no predecessor, and moves nothing."""
    conversation = replica(
        added(message("U", text="Hi.")),
        *spoken_answer("r", "A", "U", "Hello."),
        *spoken_end("r", "A", "Hello."),
    )
    assert ["U", "A"] == ids(conversation)


def test_an_item_inserted_at_the_root_comes_first():
    """The client's own item without predecessor was inserted at the root."""
    conversation = replica(added(message("A", text="1")), added(message("B", text="0"), None))
    assert ["B", "A"] == ids(conversation)


def test_speech_is_never_inserted_at_the_root():
    """Speech without predecessor, the user's or the model's, comes at the end: some servers never name one."""
    conversation = replica(
        added(message("S", "system", "Be nice.")),
        made("input_audio_buffer.committed", item_id="U", previous_item_id=None),
        added(message("U"), None),
        *spoken_answer("r", "A", None, "Hello."),
    )
    assert ["S", "U", "A"] == ids(conversation)


def test_an_absent_predecessor_is_the_end():
    """An event that does not mention a predecessor appends."""
    conversation = replica(added(message("A", text="1")), made("conversation.item.added", item=message("B", text="2")))
    assert ["A", "B"] == ids(conversation)


def test_the_name_of_the_beta_is_understood():
    """A server that still says ``created`` is followed; it may never name predecessors."""
    events = [made("conversation.item.created", item=message(x, text=x), previous_item_id=None) for x in "AB"]
    assert ["A", "B"] == ids(replica(*events))


def test_an_item_that_comes_before_its_predecessor_waits():
    """News that arrive in another order end in the same one."""
    first, second, third = added(message("A")), added(message("B"), "A"), added(message("C"), "B")
    assert ["A", "B", "C"] == ids(replica(third, second, first))


def test_an_unknown_predecessor_is_an_oddity():
    """It is told, and the item stands at the end."""
    conversation = replica(added(message("A")))
    change = apply(conversation, added(message("B"), "X"))
    assert ["A", "B"] == ids(conversation)
    assert "The item B was added after X, which is not known here." == change.oddity


def test_the_same_news_twice_change_nothing():
    """A duplicate does not add, move or reopen an item."""
    events = [
        added(message("U", text="Hi.")),
        *spoken_answer("r", "A", "U", "Hello."),
        *spoken_end("r", "A", "Hello."),
    ]
    conversation = replica(*events)
    apply(conversation, events[0])
    apply(conversation, events[3])
    apply(conversation, events[2])
    assert ["U", "A"] == ids(conversation)
    assert ("Hello.", "completed") == (conversation.item("A").text, conversation.item("A").status)


@pytest.mark.parametrize("type_", ["conversation.item.done", "response.output_item.added", "response.output_item.done"])
def test_an_item_is_learned_from_any_record_of_it(type_):
    """A server that never says ``added`` is followed by its other events."""
    conversation = replica(added(message("U")), made(type_, item=message("A", "assistant"), response_id="r"))
    assert ["U", "A"] == ids(conversation)


def test_a_closing_record_may_give_the_place():
    """Where nothing else was said of an item, the predecessor in its closing record is taken."""
    done = made("conversation.item.done", item=message("B"), previous_item_id="A")
    conversation = replica(added(message("A")), added(message("C"), "A"), done)
    assert ["A", "B", "C"] == ids(conversation)


def test_an_output_item_of_no_response_is_at_the_end():
    """A record without a response's id is one all the same."""
    conversation = replica(added(message("U")), made("response.output_item.added", item=message("A", "assistant")))
    assert (["U", "A"], {}) == (ids(conversation), dict(conversation.open_responses))


def test_an_item_is_learned_from_its_response():
    """Even the closing record of a response will do."""
    done = made("response.done", response=response("r", "completed", output=[message("A", "assistant", "Hi.")]))
    conversation = replica(added(message("U")), done)
    assert [("U", ""), ("A", "Hi.")] == [(item.id, item.text) for item in conversation.items]


# Text.


def test_transcripts_grow():
    """While the assistant speaks, its words are there as far as they came."""
    conversation = replica(added(message("U")), *spoken_answer("r", "A", "U", "Hel", "lo", " there"))
    item = conversation.item("A")
    assert ("Hello there", "Hello there", "in_progress") == (item.text, item.transcript, item.status)


def test_what_ends_a_text_has_the_last_word():
    """The whole replaces the pieces, and late pieces are not added to it."""
    part = {"response_id": "r", "item_id": "A", "output_index": 0, "content_index": 0}
    conversation = replica(
        added(message("A", "assistant", status="in_progress")),
        made("response.output_text.delta", delta="Helo", **part),
        made("response.output_text.done", text="Hello.", **part),
        made("response.output_text.delta", delta="lo", **part),
    )
    assert "Hello." == conversation.item("A").text


def test_items_of_one_response_interleave():
    """Pieces belong to the item they name, not to the last one that began."""
    about = {"response_id": "r", "content_index": 0}
    call = {"id": "F", "type": "function_call", "status": "in_progress", "name": "f", "call_id": "c", "arguments": ""}
    conversation = replica(
        made("response.created", response=response("r")),
        made("response.output_item.added", item=message("A", "assistant"), output_index=0, response_id="r"),
        added(message("A", "assistant")),
        made("response.output_text.delta", item_id="A", output_index=0, delta="I'll ", **about),
        made("response.output_item.added", item=call, output_index=1, response_id="r"),
        added(call, "A"),
        made("response.function_call_arguments.delta", item_id="F", output_index=1, call_id="c", delta="{", **about),
        made("response.output_text.delta", item_id="A", output_index=0, delta="check.", **about),
        made("response.function_call_arguments.delta", item_id="F", output_index=1, call_id="c", delta="}", **about),
    )
    assert ("I'll check.", "{}") == (conversation.item("A").text, conversation.item("F").arguments)
    assert ("A", "F") == conversation.open_responses["r"].item_ids


def test_a_transcription_may_come_before_its_item():
    """Pieces that come while the user speaks are held, and are there when the item comes."""
    conversation = replica(transcription("delta", delta="Hel"), transcription("delta", delta="lo"))
    assert ((), "Hello", "user") == (
        conversation.items,
        conversation.item("U").text,
        conversation.item("U").role,
    )
    apply(conversation, added(message("U")))
    assert [("U", "Hello")] == [(item.id, item.transcript) for item in conversation.items]


def test_spoken_input_has_no_transcript_until_one_comes():
    """The item's own record has none; it does not erase the one that came meanwhile."""
    conversation = replica(added(message("U")))
    assert conversation.item("U").transcript is None
    apply(conversation, transcription("completed", transcript="Hello.", usage={"type": "duration", "seconds": 1}))
    apply(conversation, made("conversation.item.done", item=message("U"), previous_item_id=None))
    assert "Hello." == conversation.item("U").transcript


def test_a_transcript_of_silence_is_empty():
    """An empty transcript is one."""
    conversation = replica(added(message("U")), transcription("completed", transcript=""))
    assert "" == conversation.item("U").transcript


def test_speakers_are_told_apart():
    """Segments tell the speaker, and make up the text where there is no other."""
    segments = [
        transcription("segment", id=f"s{n}", text=text, speaker=who, start=n, end=n + 0.5)
        for n, (who, text) in enumerate([("A", " Hello."), ("B", "Hi.")])
    ]
    conversation = replica(added(message("U")), *segments, segments[0])
    (part,) = conversation.item("U").content
    assert [("A", 0.0, 0.5), ("B", 1.0, 1.5)] == [(s.speaker, s.start, s.end) for s in part.segments.values()]
    assert "Hello. Hi." == conversation.item("U").text


def test_a_failed_transcription_is_kept():
    """The item has the error in place of a transcript."""
    error = {"type": "transcription_error", "code": "audio_unintelligible", "message": "It cannot be understood."}
    conversation = replica(added(message("U")), transcription("failed", error=error))
    assert error == conversation.item("U").error


def test_images_are_parts():
    """An image is kept as it was given, and has no text."""
    content = [
        {"type": "input_text", "text": "What is this?"},
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"},
    ]
    conversation = replica(added(message("U", content=content)))
    image = conversation.item("U").content[1]
    assert ("input_image", "data:image/png;base64,AAAA", "low") == (image.type, image.image_url, image.detail)
    assert "What is this?" == conversation.item("U").text


def test_parts_are_named_as_in_items():
    """Events about parts say ``audio`` where items say ``output_audio``."""
    conversation = replica(added(message("U")), *spoken_answer("r", "A", "U", "Hi."))
    assert ["output_audio"] == [part.type for part in conversation.item("A").content]
    content = [{"type": "audio", "audio": "AAAA", "transcript": "Hello.", "format": "pcm16"}]
    apply(conversation, made("conversation.item.retrieved", item=message("U", content=content)))
    assert [("input_audio", "Hello.")] == [(part.type, part.text) for part in conversation.item("U").content]


def test_an_item_shows_itself_in_short():
    """What is printed of an item is one short line."""
    item = replica(added(message("U", text="Hello there. " * 9))).item("U")
    assert "<Item U message user completed 'Hello there. Hello there. Hello there. …'>" == repr(item)


def test_a_part_that_is_no_object_is_passed_over():
    """Its neighbours keep their places."""
    conversation = replica(added(message("U", content=["?", {"type": "input_text", "text": "Hi."}])))
    assert {1: "Hi."} == {index: part.text for index, part in conversation.item("U").parts.items()}


def test_unknown_fields_are_kept():
    """What nobody declared is there under its name."""
    conversation = replica(added(message("A", "assistant", "Hm.", phase="commentary", mood={"of": ["the", "day"]})))
    assert {"phase": "commentary", "mood": {"of": ["the", "day"]}} == conversation.item("A").details


# Calls.


def test_a_call_and_its_output():
    """A call has its name, id and arguments; its output has the same id."""
    call = {"id": "F", "type": "function_call", "status": "in_progress", "name": "add", "call_id": "c", "arguments": ""}
    output = {"id": "O", "type": "function_call_output", "call_id": "c", "output": "3"}
    about = {"response_id": "r", "item_id": "F", "output_index": 0, "call_id": "c"}
    conversation = replica(
        added(call),
        made("response.function_call_arguments.delta", delta='{"a"', **about),
        made("response.function_call_arguments.done", arguments='{"a":1}', name="add", **about),
        added(output, "F"),
    )
    called, answered = conversation.items
    assert ("add", "c", '{"a":1}') == (called.name, called.call_id, called.arguments)
    assert ("c", "3", None) == (answered.call_id, answered.output, answered.arguments)


def test_an_mcp_call_may_end_after_its_response():
    """Its status and output are taken when they come."""
    call = {"id": "M", "type": "mcp_call", "name": "roll", "server_label": "dice", "arguments": ""}
    about = {"response_id": "r", "output_index": 0}
    conversation = replica(
        made("response.created", response=response("r")),
        made("response.output_item.added", item=call, **about),
        added(call),
        made("response.mcp_call_arguments.delta", item_id="M", delta="{", **about),
        made("response.mcp_call_arguments.done", item_id="M", arguments="{}", **about),
        made("response.mcp_call.in_progress", item_id="M", output_index=0),
        made("response.done", response=response("r", "completed")),
    )
    assert ("in_progress", "{}", None) == (
        conversation.item("M").status,
        conversation.item("M").arguments,
        conversation.item("M").output,
    )
    apply(conversation, made("response.mcp_call.completed", item_id="M", output_index=0))
    apply(conversation, made("response.output_item.done", item={**call, "arguments": "{}", "output": "6"}, **about))
    assert ("completed", "6") == (conversation.item("M").status, conversation.item("M").output)
    assert {} == dict(conversation.open_responses)


def test_a_failed_mcp_list():
    """A server whose tools could not be listed is seen to have failed."""
    listing = {"id": "L", "type": "mcp_list_tools", "server_label": "dice", "tools": []}
    conversation = replica(
        added(listing),
        made("mcp_list_tools.in_progress", item_id="L"),
        made("mcp_list_tools.failed", item_id="L"),
    )
    assert "failed" == conversation.item("L").status


# Responses.


def test_a_response_is_open_until_it_is_done():
    """It is among the open ones with its items in between."""
    conversation = replica(added(message("U")), *spoken_answer("r", "A", "U", "Hi."))
    (opened,) = conversation.open_responses.values()
    assert ("r", ("A",), "in_progress", False) == (
        opened.id,
        opened.item_ids,
        opened.status,
        opened.is_out_of_band,
    )
    assert "r" == conversation.item("A").response_id
    for event in spoken_end("r", "A", "Hi."):
        apply(conversation, event)
    assert {} == dict(conversation.open_responses)
    assert "completed" == conversation.response("r").status


def test_late_news_do_not_open_a_response_again():
    """Late deltas of a cancelled response leave it closed."""
    conversation = replica(*spoken_answer("r", "A", None, "Hi."), *spoken_end("r", "A", "Hi.", "cancelled"))
    for event in spoken_answer("r", "A", None, "Hi."):
        apply(conversation, event)
    assert {} == dict(conversation.open_responses)
    assert ("incomplete", "Hi.") == (conversation.item("A").status, conversation.item("A").text)


def test_what_a_cancelled_response_leaves_open_is_incomplete():
    """An item that its response did not finish is not in progress any more."""
    details = {"type": "cancelled", "reason": "turn_detected"}
    conversation = replica(
        *spoken_answer("r", "A", None, "Hi."),
        made("response.done", response=response("r", "cancelled", status_details=details)),
    )
    assert "incomplete" == conversation.item("A").status
    assert details == conversation.response("r").status_details


def test_a_response_seen_halfway_is_open():
    """Who joins in the middle of a response knows it by its items."""
    event = made("response.output_item.added", item=message("A", "assistant"), response_id="r", output_index=0)
    assert ["r"] == list(replica(event).open_responses)


def out_of_band(status="in_progress", **fields):
    return response("x", status, conversation_id=None, metadata={"topic": "mood"}, **fields)


def test_out_of_band_items_are_apart():
    """What a response outside of the conversation makes is not in it, but is known."""
    aside = message("X", "assistant", "cheerful")
    conversation = replica(
        added(message("U")),
        made("response.created", response=out_of_band()),
        made("response.output_item.added", item=aside, response_id="x", output_index=0),
        added(aside, "U"),
        made("conversation.item.done", item=aside, previous_item_id=None),
        made("response.done", response=out_of_band("completed", output=[aside])),
    )
    assert ["U"] == ids(conversation)
    assert [("X", "cheerful", True)] == [(i.id, i.text, i.is_out_of_band) for i in conversation.out_of_band]
    assert ({"topic": "mood"}, True) == (conversation.response("x").metadata, conversation.response("x").is_out_of_band)


def test_out_of_band_items_are_put_apart_when_it_is_told():
    """Where the beginning of the response was not seen, its end tells."""
    aside = message("X", "assistant", "cheerful")
    conversation = replica(
        added(message("U")),
        made("response.output_item.added", item=aside, response_id="x", output_index=0),
        made("response.done", response=out_of_band("completed")),
    )
    assert (["U"], ["X"]) == (ids(conversation), [item.id for item in conversation.out_of_band])


# Deleted and truncated.


def test_deleted_items_are_gone():
    """A deleted item is not known any more, but that it was deleted is."""
    conversation = replica(
        added(message("A")),
        added(message("B"), "A"),
        made("conversation.item.deleted", item_id="A"),
        transcription("completed", "A", transcript="Late."),
        made("conversation.item.done", item=message("A"), previous_item_id=None),
    )
    assert (["B"], ["A"], None) == (ids(conversation), list(conversation.deleted), conversation.item("A"))


def test_an_id_may_be_used_again():
    """A client may create an item anew under the id of one it deleted."""
    conversation = replica(
        added(message("A", text="old")),
        made("conversation.item.deleted", item_id="A"),
        added(message("A", text="new")),
    )
    assert (["new"], []) == ([item.text for item in conversation.items], list(conversation.deleted))


def spoken(text, seconds):
    """Return a replica in which the assistant said ``text``, with so much sound."""
    silence = "A" * (64_000 * seconds)  # base64 of 24,000 samples of 2 bytes a second
    return replica(*spoken_answer("r", "A", None, text, audio=silence), *spoken_end("r", "A", text))


def test_the_length_of_the_sound_is_known():
    """It is computed from the length of the base64, for each response's own format."""
    assert 2000 == spoken("Hello.", 2).item("A").audio_ms
    format_ = {"audio": {"output": {"format": {"type": "audio/pcmu"}, "voice": "marin"}}}
    events = spoken_answer("r", "A", None, "Hello.", audio="AAAAAAAAAAA=")
    conversation = replica(made("response.created", response=response("r", **format_)), *events)
    assert (PCMU, 1.0) == (conversation.item("A").content[0].audio_format, conversation.item("A").audio_ms)


def test_the_sessions_format_is_the_default():
    """A response that does not tell its format has the session's."""
    session = {"type": "realtime", "audio": {"output": {"format": {"type": "audio/pcmu"}}}}
    events = spoken_answer("r", "A", None, "Hello.", audio="AAAAAAAAAAA=")
    assert 1.0 == replica(made("session.updated", session=session), *events).item("A").audio_ms


def test_a_format_that_nobody_knows_changes_nothing():
    """The length is counted in the format that was known before."""
    session = {"type": "realtime", "audio": {"output": {"format": {"type": "audio/mp3"}}}}
    events = spoken_answer("r", "A", None, "Hello.", audio="A" * 64)
    assert 1.0 == replica(made("session.updated", session=session), *events).item("A").audio_ms


def test_a_truncated_item_keeps_its_text():
    """What was heard is a part of what was received."""
    conversation = spoken("Once upon a time there was a king.", 2)
    whole = conversation.item("A").heard_text
    apply(conversation, made("conversation.item.truncated", item_id="A", content_index=0, audio_end_ms=1000))
    item = conversation.item("A")
    assert (item.text, 1000, "Once upon a time") == (whole, item.truncated_ms, item.heard_text)


def test_a_truncation_that_does_not_say_where():
    """The client's own request tells where the server's answer does not."""
    conversation = spoken("Once upon a time there was a king.", 2)
    apply_client(conversation, {"type": "conversation.item.truncate", "item_id": "A", "audio_end_ms": "soon"})
    ask = {"type": "conversation.item.truncate", "item_id": "A", "content_index": 0, "audio_end_ms": 1000}
    apply_client(conversation, ask)
    assert conversation.item("A").truncated_ms is None
    apply(conversation, made("conversation.item.truncated", item_id="A", content_index=0))
    assert 1000 == conversation.item("A").truncated_ms


# Bounds.


def test_old_items_leave_from_the_front():
    """Above what is kept the oldest leave, and late news do not bring them back."""
    conversation = Conversation(keep_items=2)
    changes = [
        apply(conversation, added(message(x), previous)) for x, previous in [("A", None), ("B", "A"), ("C", "B")]
    ]
    assert [[], [], ["A"]] == [[item.id for item in change.evicted] for change in changes]
    apply(conversation, transcription("completed", "A", transcript="Late."))
    apply(conversation, made("conversation.item.done", item=message("A"), previous_item_id=None))
    assert (["B", "C"], None) == (ids(conversation), conversation.item("A"))


def test_what_follows_an_evicted_item_is_older_than_all():
    """It leaves at once."""
    conversation = replica(added(message("A")), added(message("B"), "A"), added(message("C"), "B"), keep_items=2)
    assert ["Z"] == [item.id for item in apply(conversation, added(message("Z"), "A")).evicted]
    assert ["B", "C"] == ids(conversation)


def test_nothing_grows_without_end():
    """What is not in the conversation is bounded, too."""
    conversation = Conversation(keep_items=5)
    for n in range(2000):
        apply(conversation, transcription("delta", f"held{n}", delta="x"))
        apply(conversation, made("conversation.item.deleted", item_id=f"deleted{n}"))
        apply(conversation, added(message(f"I{n}"), f"I{n - 1}" if n else None))
        aside = message(f"X{n}", "assistant", "x")
        done = response(f"r{n}", "completed", conversation_id=None, output=[aside])
        apply(conversation, made("response.done", response=done))
        apply_client(conversation, {"type": "conversation.item.truncate", "item_id": f"T{n}", "audio_end_ms": 0})
    sizes = {name: len(value) for name, value in vars(conversation).items() if hasattr(value, "__len__")}
    assert {} == {name: size for name, size in sizes.items() if size > 256}


def test_at_least_one_item_is_kept():
    """A conversation that keeps nothing is refused."""
    with pytest.raises(ValueError, match="keep_items is 0, but at least 1"):
        Conversation(keep_items=0)


def test_an_event_costs_the_same_in_a_long_conversation():
    """Calls are counted, not time: a delta and a new item take as many among 10,000 items as among 10."""

    def calls_of(n_items):
        conversation = Conversation(keep_items=20_000)
        for n in range(n_items):
            apply(conversation, added(message(f"I{n}", text="x"), f"I{n - 1}" if n else None))
        assert n_items == len(conversation.items)
        about = {"response_id": "r", "output_index": 0}
        item = message("A", "assistant", status="in_progress")
        events = [
            made("response.output_item.added", item=item, **about),
            added(item, f"I{n_items - 1}"),
            made("response.output_text.delta", item_id="A", content_index=0, delta="x", **about),
            made("conversation.item.deleted", item_id="I5"),
        ]
        count = 0

        def counting(frame, event, argument):
            nonlocal count
            count += "state" in Path(frame.f_code.co_filename).parts

        sys.setprofile(counting)
        try:
            for event in events:
                apply(conversation, event)
        finally:
            sys.setprofile(None)
        return count

    assert calls_of(10) == calls_of(10_000)


def test_the_order_is_not_worked_out_twice():
    """Reading the items again, with no item come or gone, costs nothing."""
    conversation = replica(added(message("U")), *spoken_answer("r", "A", "U", "Hi."))
    items = conversation.items
    apply(conversation, transcription("delta", delta="Hello."))
    assert items is conversation.items


def test_deltas_that_come_late_do_not_bring_a_part_back():
    """The part that grew last is forgotten with its item, whatever takes that out."""
    delta = made("response.output_audio_transcript.delta", response_id="R", item_id="A", content_index=0, delta="x")
    talk = replica(*spoken_answer("R", "A", None, "one", "two"), made("conversation.item.deleted", item_id="A"))
    assert apply(talk, delta).item is None
    assert talk.item("A") is None
    evicting = replica(*spoken_answer("R", "A", None, "one", "two"), added(message("U", "user"), "A"), keep_items=1)
    assert apply(evicting, delta).item is None


def test_a_part_is_told_apart_from_the_one_that_grew_last():
    """Neither another part of the same item nor the same part of another one grows instead."""
    talk = replica(*spoken_answer("R", "A", None, "one"), *spoken_answer("R", "B", "A", "two"))
    for item_id, index, text in (("B", 0, " b0"), ("B", 1, "b1"), ("A", 0, " a0"), ("A", 1, "a1"), ("B", 1, " more")):
        event = {"response_id": "R", "item_id": item_id, "content_index": index, "delta": text}
        apply(talk, made("response.output_text.delta", **event))
    assert [part.text for part in talk.item("B").content] == ["two b0", "b1 more"]
    assert [part.text for part in talk.item("A").content] == ["one a0", "a1"]
