"""Refusals are logged with what caused them, however much sound was sent meanwhile."""

import logging

import pytest

from made_events import made
from openai_realtime_api_utils.log_errors import LogErrors


def refusal(event_id):
    """Return an error about one of our events."""
    return made("error", error={"type": "invalid_request_error", "code": "x", "message": "no", "event_id": event_id})


@pytest.mark.parametrize(
    ("event_id", "caused"), [("evt_u", "session.update"), ("evt_1999", "input_audio_buffer.append")]
)
def test_sound_does_not_push_out_what_else_was_sent(caplog, event_id, caused):
    """Two thousand appends later an update is still known by its id, and so is the latest append."""
    log = LogErrors(logging.getLogger("test"))
    log.client_event({"type": "session.update", "event_id": "evt_u"})
    for number in range(2000):
        log.client_event({"type": "input_audio_buffer.append", "event_id": f"evt_{number}"})
    log.server_event(refusal(event_id), {})
    assert f"refused {caused} {event_id}" in caplog.text


@pytest.mark.parametrize("event_id", [None, "evt_unknown", ["evt"], {"a": 1}])
def test_an_error_about_nothing_known_is_logged_all_the_same(caplog, event_id):
    """Whatever stands where the id of the event should, the refusal is told."""
    LogErrors(logging.getLogger("test")).server_event(refusal(event_id), {})
    assert "The server refused" in caplog.text


def test_what_a_server_says_commands_no_terminal(caplog):
    """Not by a message, nor by a code or an id."""
    log, evil = LogErrors(logging.getLogger("test")), "\x1b[2J\x9b\r"
    error = {"type": evil, "code": evil, "message": evil, "event_id": evil}
    log.server_event(made("error", error=error), {})
    failed = {"id": evil, "object": "realtime.response", "status": "failed", "status_details": {"error": error}}
    log.server_event(made("response.done", response=failed), {})
    assert len(caplog.records) == 2
    assert not any(set(record.getMessage()) & set("\x1b\x9b\r") for record in caplog.records)
