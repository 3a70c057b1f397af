"""One response at a time, in whole sessions."""

import pytest

from openai_realtime_api_utils import (
    ArbitrateResponses,
    GiveClientEventId,
    HandlerError,
    ManualClock,
    TrackConversation,
    hook_middlewares,
    user_text,
)
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.middlewares import POLICY
from openai_realtime_api_utils.simulator import Fail, ScriptedEngine, connect

CREATE = {"type": "response.create"}


def play(script, replies, policy="queue", before=(), **options):
    """Run a script and return the assistant's texts, the errors that a user saw, and the arbiter."""
    clock = ManualClock()
    arbiter, conversation, errors = ArbitrateResponses(policy, clock=clock, **options), TrackConversation(), []

    class Watch:
        def server_event_handler(self, event, metadata, connection):
            if event.type == "error":
                errors.append(event.error.code)
            return event, metadata

    async def main():
        engine = ScriptedEngine(replies=replies, clock=clock)
        async with connect(engine, clock=clock) as connection:
            middlewares = [GiveClientEventId(), *before, arbiter, conversation, Watch()]
            async with hook_middlewares(connection, middlewares, clock=clock) as session:
                text = {"type": "realtime", "output_modalities": ["text"]}
                await session.send({"type": "session.update", "session": text})
                await script(session, arbiter, clock)
                await clock.sleep_until(clock.now() + 60)

    fast_forward.run(main(), clock)
    said = [(item.text, item.status) for item in conversation.items if item.role == "assistant"]
    return said, errors, arbiter


def test_two_requests_get_two_responses():
    """The second waits: ``send`` returns None for it, and nobody sees a refusal."""

    async def script(session, arbiter, clock):
        assert await session.send(CREATE) is not None
        assert await session.send(CREATE) is None
        assert arbiter.waiting == 1

    said, errors, arbiter = play(script, ["One.", "Two."])
    assert (said, errors, arbiter.is_idle) == ([("One.", "completed"), ("Two.", "completed")], [], True)


def test_a_replaced_response_is_cancelled():
    """And the one that replaces it comes at once."""

    async def script(session, arbiter, clock):
        await session.send(CREATE)
        await clock.sleep_until(clock.now() + 1)
        await arbiter.create({"instructions": "now"}, policy="replace")

    said, errors, _ = play(script, ["A long story. " * 40, "Now."])
    assert ([status for _, status in said], errors) == (["incomplete", "completed"], [])


def test_policies_may_be_chosen_by_function_or_metadata():
    """The metadata's own goes before."""

    class Mark:
        def client_event_handler(self, event, metadata, connection):
            if event.get("event_id") == "marked":
                POLICY.put(metadata, "refuse")
            return event, metadata

    async def script(session, arbiter, clock):
        await session.send(CREATE)
        await session.send({**CREATE, "event_id": "marked"})
        await session.send({**CREATE, "event_id": "other"})

    chosen = []

    def choose(event, metadata):
        chosen.append(event["event_id"])
        return "queue"

    said, _, _ = play(script, ["One.", "Two.", "Three."], choose, before=[Mark()])
    assert [text for text, _ in said] == ["One.", "Two."]
    assert "marked" not in chosen


def test_a_failed_response_is_retried_and_not_logged(caplog):
    """Where the arbiter was told to."""

    async def script(session, arbiter, clock):
        await session.send(CREATE)

    said, _, _ = play(script, [Fail("rate_limit_exceeded", "x"), Fail("server_error", "y"), "At last."], retries=2)
    assert said == [("At last.", "completed")]
    assert caplog.records == []


def test_a_cancel_with_nothing_to_cancel_is_not_sent():
    """So that nothing is refused."""

    async def script(session, arbiter, clock):
        assert await session.send({"type": "response.cancel"}) is None
        await session.send(user_text("Hi"))

    assert play(script, [])[:2] == ([], [])


def test_a_handler_that_vetoes_blocks_nothing():
    """A request of ours that a handler before drops when it goes out again is let go."""

    class Veto:
        def __init__(self):
            self.seen = set()

        def client_event_handler(self, event, metadata, connection):
            is_again = event["type"] == "response.create" and event["event_id"] in self.seen
            self.seen.add(event.get("event_id"))
            return (None if is_again else event), metadata

    async def script(session, arbiter, clock):
        for _ in range(3):
            await session.send(CREATE)

    said, _, arbiter = play(script, ["One."], before=[Veto()])
    assert ([text for text, _ in said], arbiter.is_idle) == (["One."], True)


@pytest.mark.parametrize("build", [lambda: ArbitrateResponses("wait"), lambda: ArbitrateResponses(policy=None)])
def test_an_unknown_policy_is_refused(build):
    """With the ones there are."""
    with pytest.raises(HandlerError, match="choose one of queue, merge, refuse, replace"):
        build()
