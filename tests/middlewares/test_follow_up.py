"""When the model is asked to go on after calls, event by event."""

import asyncio

from made_events import made, message, response
from openai_realtime_api_utils import CallTools, ManualClock
from openai_realtime_api_utils.handlers import HANDLED
from openai_realtime_api_utils.state.server_turns import GRACE_S
from speaking import FakeSend, refusal, response_created, response_done, speech_started, speech_stopped

ACTIVE = "conversation_already_has_active_response"


class Ends:
    """Hold both ends of a ``CallTools`` that has one function, ``look``."""

    def __init__(self):
        self.clock, self.send = ManualClock(), FakeSend()
        self.tools = CallTools([look], clock=self.clock)
        self.tools.register_send_with_handlers(self.send)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.send.close()

    async def server(self, *events):
        """Hand events on; return the last as handlers behind see it, and its metadata."""
        for event in events:
            handled = self.tools.server_event_handler(event, {}, None)
            for _ in range(20):
                await asyncio.sleep(0)
        return handled

    async def call(self, call_id="call_1", response_id="resp_1", name="look", status="completed", acknowledged=True):
        """Have a response call the function, and end; its answer is in the conversation then."""
        item = {
            "id": "i",
            "type": "function_call",
            "name": name,
            "call_id": call_id,
            "arguments": "{}",
            "status": status,
        }
        await self.server(response_created(response_id))
        await self.server(made("response.output_item.done", response_id=response_id, output_index=0, item=item))
        while not self.outputs() and status == "completed":
            await asyncio.sleep(0)
        if acknowledged:
            output = {"id": "o", "type": "function_call_output", "call_id": call_id, "output": "seen"}
            await self.server(made("conversation.item.added", item=output, previous_item_id=None))

    def outputs(self):
        return [e["item"] for e in self.send.sent if e.get("item", {}).get("type") == "function_call_output"]

    def creates(self):
        return [event for event in self.send.sent if event["type"] == "response.create"]


async def look() -> str:
    """Look."""
    return "seen"


async def test_a_follow_up_that_crosses_is_made_up_for():
    """The server began a response by itself before ours came: ours is asked again after it, and nobody sees why."""
    async with Ends() as ends:
        await ends.call()
        await ends.server(response_done("resp_1"))
        (create,) = ends.creates()
        await ends.server(response_created("own"))
        error = refusal(create["event_id"], ACTIVE)
        event, metadata = await ends.server(error)
        assert (event, HANDLED.get(metadata)) == (None, True)
        await ends.server(response_done("own"))
        assert len(ends.creates()) == 2


async def test_refusals_of_others_and_other_refusals_pass():
    """They are not ours to hide."""
    async with Ends() as ends:
        await ends.call()
        await ends.server(response_done("resp_1"))
        for error in (refusal("else", ACTIVE), refusal(ends.creates()[0]["event_id"], "invalid_value")):
            event, metadata = await ends.server(error)
            assert (event, HANDLED.get(metadata)) == (error, None)


async def test_a_response_that_sees_all_answers_is_enough():
    """One that the server began after them; one begun before the last was there is not."""
    for acknowledged, creates in ((True, 0), (False, 1)):
        async with Ends() as ends:
            await ends.call(acknowledged=acknowledged)
            await ends.server(speech_started(), response_done("resp_1"), speech_stopped(), response_created("own"))
            await ends.server(response_done("own"))
            assert len(ends.creates()) == creates


async def test_the_servers_own_response_is_not_waited_for_for_ever():
    """If none comes after the user's words, the model is asked."""
    async with Ends() as ends:
        await ends.call()
        await ends.server(speech_started(), response_done("resp_1"), speech_stopped())
        assert ends.creates() == []
        ends.clock.advance(GRACE_S)
        for _ in range(5):
            await asyncio.sleep(0)
        assert len(ends.creates()) == 1


async def test_a_call_that_comes_twice_runs_once():
    """Told by its item and by the response; an incomplete one, of a cancelled response, not at all."""
    async with Ends() as ends:
        await ends.call()
        item = {"id": "i", "type": "function_call", "name": "look", "call_id": "call_1", "arguments": "{}"}
        done = made("response.done", response=response("resp_1", "completed", output=[item]))
        await ends.server(done)
        await ends.call("call_2", "resp_2", status="incomplete", acknowledged=False)
        await ends.server(response_done("resp_2", "cancelled"))
        assert (len(ends.outputs()), len(ends.creates())) == (1, 1)


async def test_a_server_that_tells_calls_only_at_the_end_is_understood():
    """Items in ``response.done`` that were not told before are taken from there."""
    async with Ends() as ends:
        item = {"id": "i", "type": "function_call", "name": "look", "call_id": "call_1", "arguments": ""}
        await ends.server(response_created("resp_1"))
        await ends.server(made("response.done", response=response("resp_1", "completed", output=[item])))
        assert (len(ends.outputs()), len(ends.creates())) == (1, 1)


async def test_a_response_without_calls_is_not_followed():
    """A message needs no going on."""
    async with Ends() as ends:
        await ends.server(response_created("resp_1"))
        item = message("m", "assistant", "Hi")
        await ends.server(made("response.output_item.done", response_id="resp_1", output_index=0, item=item))
        await ends.server(response_done("resp_1"))
        assert ends.creates() == []


async def test_calls_without_send_are_told_in_the_log(caplog):
    """Nobody could answer them."""
    tools = CallTools([look], clock=ManualClock())
    item = {
        "id": "i",
        "type": "function_call",
        "name": "look",
        "call_id": "c",
        "arguments": "{}",
        "status": "completed",
    }
    tools.server_event_handler(made("response.output_item.done", response_id="r", output_index=0, item=item), {}, None)
    assert "send was not registered" in caplog.text


async def test_barge_in_can_be_told_by_hand():
    """For those who detect the user's voice by themselves."""
    from openai_realtime_api_utils import tool

    async def wait() -> None:
        await asyncio.Event().wait()

    ends = Ends()
    ends.tools = CallTools([tool(wait, name="look", cancel_on_barge_in=True)], clock=ends.clock)
    ends.tools.register_send_with_handlers(ends.send)
    async with ends:
        item = {
            "id": "i",
            "type": "function_call",
            "name": "look",
            "call_id": "c",
            "arguments": "",
            "status": "completed",
        }
        await ends.server(
            response_created("resp_1"),
            made("response.output_item.done", response_id="resp_1", output_index=0, item=item),
        )
        assert ends.tools.running == ("c",)
        ends.tools.barge_in()
        await ends.server(response_done("resp_1", "cancelled"))
        assert (ends.tools.running, ends.creates()) == ((), [])
        assert "cancelled" in ends.outputs()[0]["output"]


async def test_an_output_is_an_item_with_an_id_of_ours():
    """So it is known again if its frame comes twice. The API allows 32 letters."""
    async with Ends() as ends:
        await ends.call()
        await ends.server(response_done("resp_1"))
        await ends.call("call_2", "resp_2")
        ids = [item["id"] for item in ends.outputs()]
        assert len(set(ids)) == 2
        assert all(id_.startswith("call_tools_") and len(id_) <= 32 for id_ in ids)
