"""PrintEvents prints what matters, never what must not be seen, and never harms the session."""

import io
import logging
import sys

import pytest

from made_events import made, message, response, spoken_answer
from openai_realtime_api_utils.errors import HandlerError
from openai_realtime_api_utils.handlers import SENT_BY
from openai_realtime_api_utils.middlewares import PrintEvents
from openai_realtime_api_utils.middlewares.print_events import is_not_sound

SOUND = "c2VjcmV0IHNvdW5k" * 20


def printed(*events, **options):
    """Return the lines printed on events; a dict is a client event."""
    stream = io.StringIO()
    print_events = PrintEvents(stream, **options)
    for event in events:
        is_clients = isinstance(event, dict)
        handle = print_events.client_event_handler if is_clients else print_events.server_event_handler
        assert (event, {}) == handle(event, {}, None)
    return stream.getvalue().splitlines()


def everything(event):
    return True


def test_a_line_has_direction_type_and_what_matters():
    """One line is one event."""
    error = {"type": "invalid_request_error", "code": "x", "message": "No good.", "param": None, "event_id": "evt_1"}
    expected = [
        "→ response.create event_id=evt_1",
        "← response.done response.id=r response.status=completed response.usage.total_tokens=7",
        '← error error.code=x error.event_id=evt_1 error.message="No good." error.type=invalid_request_error',
        "← conversation.item.added item.id=U item.type=message item.role=user item.status=completed "
        'item.content=[{"text":"Hi.","type":"input_text"}] previous_item_id=P',
    ]
    lines = printed(
        {"type": "response.create", "event_id": "evt_1"},
        made("response.done", response=response("r", "completed", usage={"total_tokens": 7})),
        made("error", error=error),
        made("conversation.item.added", item=message("U", text="Hi."), previous_item_id="P"),
    )
    assert [sorted(line.split(" ")) for line in expected] == [sorted(line.split(" ")) for line in lines]


def test_sound_is_not_printed_by_default():
    """Deltas of sound, and appends, come dozens a second."""
    append = {"type": "input_audio_buffer.append", "audio": SOUND}
    assert [] == printed(append, made("response.output_audio.delta", item_id="A", delta=SOUND))


def test_sound_is_told_by_its_size_on_request():
    """Whatever the filters let through, no sound is printed."""
    content = [{"type": "audio", "audio": SOUND, "transcript": "Hi."}]
    lines = printed(
        {"type": "input_audio_buffer.append", "audio": SOUND},
        made("response.output_audio.delta", item_id="A", delta=SOUND),
        made("conversation.item.retrieved", item=message("A", content=content)),
        filter_server=everything,
        filter_client=everything,
    )
    assert 3 == len(lines)
    assert ["240 bytes" in line and SOUND[:12] not in line for line in lines] == [True] * 3


def test_deltas_in_a_row_are_printed_once():
    """The first tells that they come; what ends them has all of them."""
    events = spoken_answer("r", "A", None, "Hel", "lo", ".")
    other = made("response.output_text.delta", item_id="B", delta="x")
    deltas = [line.split(" ")[1] for line in printed(*events, other) if ".delta" in line]
    assert ["response.output_audio_transcript.delta", "response.output_text.delta"] == deltas


def test_filters_choose():
    """Each direction has its own; True prints."""
    events = [{"type": "response.create"}, made("response.created", response=response("r")), made("x.y")]
    assert ["← x.y"] == printed(
        *events, filter_server=lambda event: event.type == "x.y", filter_client=lambda event: False
    )


def test_the_filter_of_sound_is_there_for_others():
    """It lets every delta of text through."""
    events = [made("response.output_text.delta", item_id="A", delta=x) for x in "ab"]
    assert 2 == len(printed(*events, filter_server=is_not_sound))


def test_secrets_are_not_printed():
    """Keys and the headers of MCP servers are left out."""
    tool = {"type": "mcp", "server_label": "dice", "authorization": "abc-token", "headers": {"X-Key": "def-token"}}
    update = {"type": "session.update", "session": {"tools": [tool], "instructions": "sk-proj-abcdef0123456789"}}
    (line,) = printed(update)
    assert [] == [secret for secret in ("abc-token", "def-token", "abcdef0123") if secret in line]


def test_a_line_is_one_short_line():
    """Nothing that is said breaks the line, commands the terminal, or fills the screen."""
    text = "a\nb\x1b[2J\u2028\x9b" + "x" * 1000
    (line,) = printed(made("response.output_text.done", item_id="A", text=text), made("n\n\x1b"))[:1]
    assert line.isprintable()
    assert len(line) < 260


def test_who_sent_it_is_told():
    """A client event of a middleware bears its name."""
    stream = io.StringIO()
    PrintEvents(stream).client_event_handler({"type": "response.cancel"}, {SENT_BY: "Interrupt"}, None)
    assert "→ response.cancel by=Interrupt\n" == stream.getvalue()


def test_the_default_stream_is_stderr(capsys):
    """It is what stderr is at the time."""
    PrintEvents().server_event_handler(made("x.y"), {}, None)
    assert ("", "← x.y\n") == capsys.readouterr()


def test_without_stderr_nothing_is_printed(monkeypatch):
    """A program without a console has none."""
    print_events = PrintEvents()
    monkeypatch.setattr(sys, "stderr", None)
    event = made("x.y")
    assert (event, {}) == print_events.server_event_handler(event, {}, None)


def test_a_logger_takes_the_lines(caplog):
    """It takes them at the level given, and nobody else's level is touched."""
    root_level, logger = logging.getLogger().level, logging.getLogger("mine")
    with caplog.at_level(logging.DEBUG, "mine"):
        PrintEvents(logger=logger, level=logging.DEBUG).server_event_handler(made("x.y"), {}, None)
    assert [("mine", logging.DEBUG, "← x.y")] == caplog.record_tuples
    assert root_level == logging.getLogger().level


def test_a_stream_and_a_logger_are_one_too_many():
    """The choice is the caller's."""
    with pytest.raises(HandlerError, match="leave one out"):
        PrintEvents(io.StringIO(), logger=logging.getLogger("mine"))


def test_a_broken_stream_is_told_once(caplog):
    """The session goes on, without printing."""
    stream = io.StringIO()
    stream.close()
    print_events, event = PrintEvents(stream), made("x.y")
    for _ in range(3):
        assert (event, {}) == print_events.server_event_handler(event, {}, None)
    (record,) = caplog.records
    assert "Events are no longer printed" in record.getMessage()


def test_a_stream_that_cannot_write_a_letter_gets_its_code():
    """An ASCII terminal shows other letters by their number."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, "ascii", write_through=True)
    PrintEvents(stream).server_event_handler(made("response.output_text.done", item_id="A", text="schön"), {}, None)
    assert b"sch\\xf6n" in raw.getvalue()
