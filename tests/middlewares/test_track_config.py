"""TrackConfig shows what is known of the session."""

import pytest

from made_events import made
from openai_realtime_api_utils.audio.formats import PCM_24K, PCMA, PCMU
from openai_realtime_api_utils.errors import FormatError
from openai_realtime_api_utils.middlewares import GiveClientEventId, TrackConfig


def session(output="audio/pcm", **fields):
    format_ = {"type": output, "rate": 24000} if output == "audio/pcm" else {"type": output}
    audio = {"input": {"format": {"type": "audio/pcma"}}, "output": {"format": format_}}
    return {"type": "realtime", "object": "realtime.session", "id": "sess_1", "audio": audio, **fields}


def receive(track_config, type_, **fields):
    event, metadata = made(type_, **fields), {}
    assert (event, metadata) == track_config.server_event_handler(event, metadata, None)


def send(track_config, **fields):
    event = {"type": "session.update", "session": {"type": "realtime", **fields}}
    sent, metadata = GiveClientEventId().client_event_handler(event, {}, None)
    assert (sent, metadata) == track_config.client_event_handler(sent, metadata, None)
    return sent["event_id"]


def test_nothing_is_known_at_first():
    """Before the server's first word there are defaults."""
    track_config = TrackConfig()
    assert track_config.session_config is None
    assert track_config.acknowledged is None
    assert (PCM_24K, PCM_24K) == (track_config.audio_format_input, track_config.audio_format_output)
    assert ("realtime", {"type": "server_vad"}, True) == (
        track_config.session_type,
        track_config.turn_detection,
        track_config.interrupts_by_itself,
    )


@pytest.mark.parametrize("type_", ["session.created", "session.updated"])
def test_the_session_is_the_servers(type_):
    """It is shown as the SDK's object and as a dict; a sideband has no ``session.created``, and does without."""
    track_config = TrackConfig()
    receive(track_config, type_, session=session("audio/pcmu"))
    assert "audio/pcmu" == track_config.session_config.audio.output.format.type
    assert track_config.state.session is track_config.session_config
    assert "sess_1" == track_config.acknowledged["id"]
    assert (PCMA, PCMU) == (track_config.audio_format_input, track_config.audio_format_output)


def test_nothing_is_certain_while_an_update_is_pending():
    """``session_config`` is None until the server answers; what it acknowledged before stays known."""
    track_config = TrackConfig()
    receive(track_config, "session.created", session=session())
    send(track_config, instructions="Be brief.")
    assert track_config.session_config is None
    assert "sess_1" == track_config.acknowledged["id"]
    assert ({"type": "realtime", "instructions": "Be brief."},) == track_config.pending
    receive(track_config, "session.updated", session=session(instructions="Be brief."))
    assert "Be brief." == track_config.session_config.instructions
    assert () == track_config.pending
    assert {"type": "realtime", "instructions": "Be brief."} == track_config.requested
    assert () == track_config.drift()


def test_a_refused_update_is_taken_back():
    """The session is what it was before."""
    track_config = TrackConfig()
    receive(track_config, "session.created", session=session())
    event_id = send(track_config, voice="marin")
    error = {"type": "invalid_request_error", "code": "unknown_parameter", "message": "No.", "param": "session.voice"}
    receive(track_config, "error", error={**error, "event_id": event_id})
    assert "sess_1" == track_config.session_config.id
    assert {} == track_config.requested


def test_drift_is_told():
    """What the server made of it is compared with what was asked."""
    track_config = TrackConfig()
    send(track_config, instructions="Be brief.", reasoning={"effort": "low"})
    receive(track_config, "session.updated", session=session(instructions="Be long."))
    assert ("session.instructions",) == track_config.drift()


def test_a_translation_session():
    """Its events have the names of a conversation's."""
    track_config = TrackConfig()
    stated = {"id": "s", "type": "translation", "model": "m", "expires_at": 1, "audio": {"output": {"language": "de"}}}
    receive(track_config, "session.created", session=stated)
    assert ("translation", None, False) == (
        track_config.session_type,
        track_config.turn_detection,
        track_config.interrupts_by_itself,
    )


def test_a_transcription_session():
    """It has turn detection, and nothing to interrupt."""
    track_config = TrackConfig()
    stated = {"type": "transcription", "object": "realtime.transcription_session", "id": "s"}
    stated["audio"] = {"input": {"turn_detection": {"type": "server_vad", "threshold": 0.5}}}
    receive(track_config, "session.created", session=stated)
    assert ("transcription", 0.5, False) == (
        track_config.session_type,
        track_config.turn_detection["threshold"],
        track_config.interrupts_by_itself,
    )


def test_a_format_that_nobody_knows():
    """Who asks for it is told; the session goes on."""
    track_config = TrackConfig()
    receive(track_config, "session.created", session=session("audio/mp3"))
    with pytest.raises(FormatError, match="'audio/mp3' is not one of"):
        _ = track_config.audio_format_output


def test_a_session_event_without_a_session_changes_nothing():
    """A partial event is not an answer."""
    track_config = TrackConfig()
    receive(track_config, "session.created", session=session())
    receive(track_config, "session.updated")
    assert "sess_1" == track_config.session_config.id


def test_format_that_the_server_leaves_open(caplog):
    """It is told once that a rate is assumed; the API itself always names it."""
    track_config = TrackConfig()
    for _ in range(2):
        receive(
            track_config, "session.created", session=session() | {"audio": {"output": {"voice": "x", "format": None}}}
        )
    (told,) = caplog.messages
    assert told.startswith("The server names no sound format, so 24 kHz PCM is assumed")
    assert track_config.audio_format_output == PCM_24K
