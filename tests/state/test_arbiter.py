"""When a response may be asked for, decided event by event."""

import pytest

from made_events import made, response
from openai_realtime_api_utils.state.arbiter import ANSWER_S, MOST_WAITING, Arbiter
from openai_realtime_api_utils.state.server_turns import GRACE_S

ACTIVE = "conversation_already_has_active_response"


class Table:
    """Be the two ends of an arbiter; what it sends is kept."""

    def __init__(self, **options):
        self.arbiter, self.now, self.sent = Arbiter("x", **options), 0.0, []

    def ask(self, event_id, policy="queue", **body):
        event = {"type": "response.create", "event_id": event_id, **({"response": body} if body else {})}
        verdict = self.arbiter.ask(event, policy, self.now)
        if verdict.event is not None:
            self.sent.append(verdict.event)
        self.pump()
        return verdict.fate

    def cancel(self, **fields):
        event = self.arbiter.cancel({"type": "response.cancel", **fields})
        if event is not None:
            self.sent.append(event)
        return event

    def pump(self):
        for event in self.arbiter.take(self.now):
            if event["type"] == "response.create":
                assert (
                    self.arbiter.ask(event, "refuse", self.now).event == event
                )  # passes on its way, whatever the policy
            self.sent.append(event)

    def server(self, type_, **fields):
        handled = self.arbiter.server_event(made(type_, **fields), self.now)
        self.pump()
        return handled

    def created(self, id_, tag=None, **fields):
        return self.server(
            "response.created", response=response(id_, metadata={"create_id": tag} if tag else None, **fields)
        )

    def done(self, id_, status="completed", code=None):
        details = {"type": status, "error": {"code": code}} if code else None
        return self.server("response.done", response=response(id_, status, status_details=details))

    def refused(self, event_id, code=ACTIVE, message="no"):
        error = {"type": "invalid_request_error", "code": code, "message": message, "event_id": event_id, "param": None}
        return self.server("error", error=error)

    def asked(self):
        return [event["event_id"] for event in self.sent if event["type"] == "response.create"]

    def cancelled(self):
        return [event["response_id"] for event in self.sent if event["type"] == "response.cancel"]


def test_an_idle_conversation_is_asked_at_once_and_the_response_tagged():
    """The request goes out with its own id in the metadata; what it asks stays."""
    table = Table()
    assert table.ask("a", instructions="x", metadata={"mine": "1"}) == "sent"
    assert table.sent == [
        {
            "type": "response.create",
            "event_id": "a",
            "response": {"instructions": "x", "metadata": {"mine": "1", "create_id": "a"}},
        }
    ]


def test_full_metadata_is_left_alone():
    """There may be 16 pairs; the response is then known by its coming."""
    table, full = Table(), {str(n): "x" for n in range(16)}
    table.ask("a", metadata=full)
    table.created("r1")
    table.ask("b")
    table.done("r1")
    assert (table.sent[0]["response"]["metadata"], table.asked()) == (full, ["a", "b"])


def test_requests_wait_for_their_turn_in_order():
    """Each goes out when the response before it is done."""
    table = Table()
    assert [table.ask(name) for name in "abc"] == ["sent", "waiting", "waiting"]
    for n, name in enumerate("abc"):
        assert table.asked() == list("abc"[: n + 1])
        table.created(f"r{n}", name)
        table.done(f"r{n}")
    assert table.arbiter.is_idle


def test_out_of_band_requests_pass_untouched():
    """Any number of them, whatever goes on."""
    table = Table()
    table.ask("a")
    assert [table.ask(name, conversation="none") for name in "bc"] == ["sent", "sent"]
    table.created("beside", conversation_id=None)
    table.done("beside")
    assert not table.arbiter.is_idle


def test_a_merged_request_asks_for_both():
    """The later one has it where they differ; the former's id stays."""
    table = Table()
    table.ask("a")
    fates = [table.ask("b", "merge", instructions="x", max_output_tokens=5), table.ask("c", "merge", instructions="y")]
    table.created("r", "a")
    table.done("r")
    assert fates == ["waiting", "merged"]
    assert table.sent[-1]["response"] == {
        "instructions": "y",
        "max_output_tokens": 5,
        "metadata": {"create_id": "b"},
    }


def test_requests_that_somebody_awaits_are_not_merged():
    """They bear metadata of their own."""
    table = Table()
    table.ask("a")
    fates = [table.ask(name, "merge", metadata={"for": name}) for name in "bc"]
    assert fates == ["waiting", "waiting"]


def test_refused_requests_are_dropped():
    """By policy, or because too many wait."""
    table = Table()
    table.ask("a")
    assert table.ask("b", "refuse") == "refused"
    fates = [table.ask(f"c{n}") for n in range(MOST_WAITING + 1)]
    assert (fates[-2:], table.arbiter.waiting) == (["waiting", "refused"], MOST_WAITING)


def test_a_replacing_request_cancels_and_comes_next():
    """Those that wait are dropped; the cancel bears the response's id, and is sent once."""
    table = Table()
    table.ask("a")
    table.created("r1", "a")
    table.ask("b")
    table.ask("c", "replace")
    table.ask("d", "replace")
    table.done("r1", "cancelled")
    assert (table.cancelled(), table.asked()) == (["r1"], ["a", "d"])


def test_a_response_that_is_only_asked_for_is_replaced_when_it_begins():
    """Before that it has no id to cancel it by."""
    table = Table()
    table.ask("a")
    table.ask("b", "replace")
    assert table.cancelled() == []
    table.created("r1", "a")
    assert table.cancelled() == ["r1"]


def test_a_request_that_crossed_goes_out_again():
    """With its own id, after the response that was in its way; the refusal is taken out."""
    table = Table()
    table.ask("a")
    table.created("own")
    assert table.refused("a") is True
    assert table.arbiter.crossed == 1
    table.done("own")
    assert table.asked() == ["a", "a"]


def test_a_crossing_is_known_even_where_metadata_is_not_echoed():
    """The server's own response was taken for the answer until the refusal came."""
    table = Table()
    table.ask("a")
    table.created("own")
    table.ask("b")
    table.refused("a")
    table.done("own")
    table.created("r1")
    table.done("r1")
    assert table.asked() == ["a", "a", "b"]


def test_once_tags_are_echoed_an_untagged_response_is_nobodys():
    """Ours is still on its way, and the next one waits for it."""
    table = Table()
    table.ask("a")
    table.created("r1", "a")
    table.done("r1")
    table.ask("b")
    table.created("own")
    table.done("own")
    table.ask("c")
    assert table.asked() == ["a", "b"]
    table.created("r2", "b")
    table.done("r2")
    assert table.asked() == ["a", "b", "c"]


@pytest.mark.parametrize("due", ["speech_stopped", "timeout_triggered"])
def test_a_response_that_the_server_owes_is_not_taken_for_the_answer(due):
    """Not even before it is known whether tags are echoed: were it, and failed, ours would be asked for twice."""
    table = Table(retries=1)
    table.ask("a")
    table.server(f"input_audio_buffer.{due}", item_id="u", audio_start_ms=0, audio_end_ms=9)
    table.created("own")
    assert table.done("own", "failed", "server_error") is False  # what is on its way answers the user, too
    table.created("r1", "a")
    table.done("r1")
    assert table.asked() == ["a"]
    assert table.arbiter.is_idle


def test_a_response_that_was_never_seen_is_known_by_the_refusal():
    """As for one who was hooked in the middle of a session."""
    table = Table()
    table.ask("a")
    table.refused("a", message="... active response in progress: resp_77. Wait ...")
    assert table.asked() == ["a"]
    table.done("resp_77")
    assert table.asked() == ["a", "a"]


def test_other_refusals_are_final():
    """They pass to the user, and the next request goes out."""
    table = Table()
    table.ask("a")
    table.ask("b")
    assert (table.refused("a", "invalid_value"), table.refused("else"), table.asked()) == (False, False, ["a", "b"])


def test_a_turn_that_the_server_could_not_answer_is_made_up_for():
    """Its own response was refused, because another one is open and it does not interrupt."""
    table = Table()
    table.ask("a")
    table.created("r1", "a")
    assert table.refused(None) is True
    assert table.refused(None) is True
    table.done("r1")
    assert (len(table.asked()), table.arbiter.waiting) == (2, 0)


def test_cancels_name_what_they_cancel_and_are_sent_once():
    """Without an id the open response is meant; what is over, or unknown to be open, is not cancelled."""
    table = Table()
    assert table.cancel() is None
    table.ask("a")
    table.created("r1", "a")
    first = table.cancel()
    assert (first["response_id"], table.cancel(), table.cancel(response_id="r1")) == ("r1", None, None)
    assert table.refused(first["event_id"], "response_cancel_not_active") is True
    table.done("r1")
    assert table.cancel(response_id="r1") is None


def test_a_cancel_on_the_heels_of_a_request_waits_for_its_response():
    """It is sent when the response has its id; if the request crossed, it is not sent again."""
    table = Table()
    table.ask("a")
    assert table.cancel() is None
    table.created("r1", "a")
    assert table.cancelled() == ["r1"]
    table.done("r1", "cancelled")
    table.ask("b")
    table.cancel()
    table.created("own")
    table.refused("b")
    table.done("own")
    assert (table.asked(), table.arbiter.is_idle) == (["a", "b"], True)


def test_a_cancel_of_an_out_of_band_response_passes():
    """By its id."""
    table = Table()
    table.created("beside", conversation_id=None)
    assert table.cancel(response_id="beside")["response_id"] == "beside"


@pytest.mark.parametrize("code", ["rate_limit_exceeded", "server_error"])
def test_a_failed_response_is_asked_for_again_in_time(code):
    """Twice as long each time, and not for ever; the last failure is left to be told."""
    table = Table(retries=2, retry_after_s=1)
    table.ask("a")
    handled, due = [], []
    for n in range(3):
        table.created(f"r{n}", "a")
        handled.append(table.done(f"r{n}", "failed", code))
        due.append(table.arbiter.deadline())
        table.now = due[-1] or table.now
        table.pump()
    assert (handled, due, table.asked()) == ([True, True, False], [1, 3, None], ["a"] * 3)


def test_failures_that_do_not_pass_are_left():
    """A quota that is used up stays so."""
    table = Table(retries=2)
    table.ask("a")
    table.created("r", "a")
    assert table.done("r", "failed", "insufficient_quota") is False
    assert table.arbiter.is_idle


def test_a_failed_response_of_the_servers_own_is_asked_for_again():
    """Unless something waits that answers the user, too."""
    table = Table(retries=1, retry_after_s=1)
    table.created("own")
    assert table.done("own", "failed", "server_error") is True
    assert table.arbiter.deadline() == 1
    other = Table(retries=1)
    other.created("own")
    other.ask("a")
    assert (other.done("own", "failed", "server_error"), other.asked()) == (False, ["a"])


def test_nobody_is_asked_into_the_users_words():
    """After speech the server's own response is waited for, a while."""
    table = Table()
    table.server("input_audio_buffer.speech_started", item_id="u", audio_start_ms=0)
    assert table.ask("a") == "waiting"
    table.server("input_audio_buffer.speech_stopped", item_id="u", audio_end_ms=9)
    assert (table.asked(), table.arbiter.deadline()) == ([], GRACE_S)
    table.now = GRACE_S
    table.pump()
    assert table.asked() == ["a"]


def test_a_session_that_does_not_answer_by_itself_is_not_waited_for():
    """With ``create_response: false`` the end of speech is enough; without turn detection nobody speaks."""
    for detection, last in (({"type": "server_vad", "create_response": False}, True), (None, False)):
        table = Table()
        table.server("input_audio_buffer.speech_started", item_id="u", audio_start_ms=0)
        table.ask("a")
        table.server("session.updated", session={"type": "realtime", "audio": {"input": {"turn_detection": detection}}})
        if last:
            table.server("input_audio_buffer.speech_stopped", item_id="u", audio_end_ms=9)
        assert table.asked() == ["a"]


def test_a_request_that_gets_no_answer_is_given_up():
    """A handler behind may have dropped it: the next one does not wait for ever."""
    table = Table()
    table.ask("a")
    table.ask("b")
    assert table.arbiter.deadline() == ANSWER_S
    table.now = ANSWER_S
    table.pump()
    assert table.asked() == ["a", "b"]


def test_a_request_that_was_not_sent_is_forgotten():
    """A handler before dropped it on its way."""
    table = Table()
    table.created("own")
    table.ask("a")
    table.done("own")
    table.arbiter.lost("a")
    assert table.arbiter.is_idle


def test_what_was_asked_of_a_lost_session_is_asked_of_the_next():
    """Its open responses are gone with it."""
    table = Table()
    table.ask("a")
    table.created("r1", "a")
    table.done("r1")
    table.ask("b")
    table.server("local.session_replaced")
    assert table.asked() == ["a", "b", "b"]
