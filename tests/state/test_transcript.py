"""The transcript can be read."""

from made_events import added, made, message, response, spoken_answer, spoken_end
from openai_realtime_api_utils.state.conversation import Conversation, apply
from openai_realtime_api_utils.state.transcript import transcript


def written(*events):
    """Return the lines on a conversation that saw the events."""
    conversation = Conversation()
    for event in events:
        apply(conversation, event)
    return transcript(conversation.items).splitlines()


def chain(*items):
    """Return the events that add items one after the other."""
    return [added(item, items[n - 1]["id"] if n else None) for n, item in enumerate(items)]


def test_who_says_what():
    """Every message is a line that begins with its role."""
    items = [message("S", "system", "Be nice."), message("U", text="Hi\nthere."), message("A", "assistant", "Hello.")]
    assert ["system: Be nice.", "user: Hi there.", "assistant: Hello."] == written(*chain(*items))


def test_what_has_no_words_is_named():
    """Sound without a transcript and images are told to be there."""
    image = message("I", content=[{"type": "input_image", "image_url": "data:image/png;base64,AA"}])
    failed = made(
        "conversation.item.input_audio_transcription.failed",
        item_id="F",
        content_index=0,
        error={"message": "Too noisy."},
    )
    expected = ["user: [image]", "user: [audio]", "user: [audio that was not transcribed: Too noisy.]"]
    assert expected == written(*chain(image, message("U"), message("F")), failed)


def test_an_answer_in_progress_is_marked():
    """An answer that is not complete looks so."""
    assert ["assistant: Hel [...]"] == written(*spoken_answer("r", "A", None, "Hel"))


def test_only_what_was_heard_is_written():
    """A truncated answer ends where the user stopped hearing it."""
    text = "Once upon a time there was a king."
    truncated = made("conversation.item.truncated", item_id="A", content_index=0, audio_end_ms=500)
    events = spoken_answer("r", "A", None, text, audio="A" * 64_000)  # a second
    assert ["assistant: Once upon a time [interrupted]"] == written(
        *events, *spoken_end("r", "A", text, "cancelled"), truncated
    )


def test_calls_and_outputs():
    """A call is written as one, and its output names it."""
    call = {"id": "F", "type": "function_call", "name": "add", "call_id": "c", "arguments": '{ "a": 1,\n "b": 2}'}
    output = {"id": "O", "type": "function_call_output", "call_id": "c", "output": "3"}
    orphan = {"id": "P", "type": "function_call_output", "call_id": "d", "output": "4"}
    expected = ['assistant calls add({ "a": 1, "b": 2})', "add returns: 3", "d returns: 4"]
    assert expected == written(*chain(call, output, orphan))


def test_mcp():
    """Lists, calls, approvals of MCP are written with the server's label."""
    of_dice = {"server_label": "dice", "name": "roll", "arguments": "{}"}
    error = {"type": "tool_execution_error", "message": "It fell off the table."}
    items = [
        {"id": "L", "type": "mcp_list_tools", "server_label": "dice", "tools": [{"name": "roll"}, {"name": "throw"}]},
        {"id": "R", "type": "mcp_approval_request", **of_dice},
        {"id": "Y", "type": "mcp_approval_response", "approval_request_id": "R", "approve": True},
        {"id": "C", "type": "mcp_call", **of_dice, "output": "6"},
        {"id": "W", "type": "mcp_call", **of_dice},
        {"id": "E", "type": "mcp_call", **of_dice, "error": error},
        {"id": "N", "type": "mcp_approval_response", "approval_request_id": "R", "approve": False, "reason": "No."},
    ]
    expected = [
        "dice offers: roll, throw",
        "assistant asks to call dice.roll({})",
        "user approves",
        "assistant calls dice.roll({}), which returns: 6",
        "assistant calls dice.roll({}), which returns: [...]",
        "assistant calls dice.roll({}), which fails: It fell off the table.",
        "user refuses No.",
    ]
    assert expected == written(*chain(*items))


def test_new_kinds_of_items_have_a_line():
    """An item of a type that nobody knows is named by it."""
    assert ["[hologram]"] == written(*chain({"id": "H", "type": "hologram"}))


def test_out_of_band_is_not_in_it():
    """What is not in the conversation is not in its transcript."""
    aside = response("x", "completed", conversation_id=None, output=[message("X", "assistant", "cheerful")])
    assert ["user: Hi."] == written(added(message("U", text="Hi.")), made("response.done", response=aside))
