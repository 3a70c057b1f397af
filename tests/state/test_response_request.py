"""When a response is asked for."""

from openai_realtime_api_utils.state.response_request import ResponseRequest

ACTIVE = "conversation_already_has_active_response"


def test_nothing_is_asked_unless_wanted():
    """And wanting twice is wanting once."""
    request = ResponseRequest("x")
    before = request.take()
    request.want()
    request.want()
    first = request.take()
    request.created("r1")
    request.done("r1")
    assert (None, {"type": "response.create", "event_id": "x_1"}, None) == (before, first, request.take())


def test_an_open_response_is_waited_for():
    """Whoever asked for it."""
    request = ResponseRequest("x")
    request.created("r1")
    request.want()
    during = request.take()
    request.done("r1")
    assert (None, "response.create") == (during, (request.take() or {})["type"])


def test_a_request_on_its_way_is_waited_for():
    """Between the request and its response there may be no second one."""
    request = ResponseRequest("x")
    request.want()
    request.take()
    request.want()
    assert request.take() is None


def test_a_crossing_is_made_up_for():
    """A response that the server began meanwhile refuses ours; it is asked again after it."""
    request = ResponseRequest("x")
    request.want()
    request.take()
    request.created("r1")
    request.want()
    request.done("r1")
    again = request.take()
    assert {"type": "response.create", "event_id": "x_2"} == again
    assert (True, False) == (request.refused("x_2", ACTIVE), request.refused("x_2", ACTIVE))
    assert {"type": "response.create", "event_id": "x_3"} == request.take()


def test_any_other_refusal_is_final():
    """And left to be told."""
    request = ResponseRequest("x")
    request.want()
    request.take()
    assert (False, False) == (request.refused("else", ACTIVE), request.refused("x_1", "invalid_value"))
    assert request.take() is None
