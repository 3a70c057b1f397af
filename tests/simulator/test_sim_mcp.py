"""MCP tools: listed, called, approved of and refused, with scripted servers."""

import pytest

from openai_realtime_api_utils.simulator.commands import Think
from openai_realtime_api_utils.simulator.engine import Call, Say
from openai_realtime_api_utils.simulator.mcp_server import McpFailure, McpServer, McpTool
from openai_realtime_api_utils.simulator.settings import Settings
from simulated import Wire, of, only, types, update, user_says

pytestmark = pytest.mark.reported

SEARCH = McpTool(
    "search",
    "Search the shelves.",
    {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]},
    answer=lambda arguments: f"Found {arguments['title']}.",
    read_only=True,
)
ORDER = McpTool("order", answer=McpFailure("Out of stock."))
SERVER = McpServer([SEARCH, ORDER])
CREATE = {"type": "response.create"}


def tool(**fields):
    return {"type": "mcp", "server_label": "books", "server_url": "https://books.example", **fields}


def library(*replies, servers=None, **fields):
    """Begin a text session whose model has the tools of one server."""
    wire = Wire(replies, settings=Settings(mcp_servers={"books": SERVER} if servers is None else servers))
    wire.send(update(output_modalities=["text"], tools=[tool(**fields)]))
    wire.wait(1)
    return wire


def answer(request_id, *, approve=True, **fields):
    item = {"type": "mcp_approval_response", "approval_request_id": request_id, "approve": approve, **fields}
    return {"type": "conversation.item.create", "item": item}


def test_tools_are_listed():
    """After the update the tools are listed, as an item of the conversation."""
    wire = library()
    assert types(wire.events[1:]) == [
        "session.updated",
        "conversation.item.added",
        "mcp_list_tools.in_progress",
        "mcp_list_tools.completed",
        "conversation.item.done",
    ]
    item = only(wire.events, "conversation.item.done")["item"]
    assert [each["name"] for each in item["tools"]] == ["search", "order"]
    assert item["tools"][0]["annotations"] == {"readOnlyHint": True}
    assert (item["type"], item["server_label"]) == ("mcp_list_tools", "books")


@pytest.mark.parametrize("servers", [{}, {"books": McpServer(is_down=True)}])
def test_listing_fails(servers):
    """A server that cannot be reached fails to be listed; nothing of it can be called."""
    wire = library("Hello.", servers=servers)
    assert types(wire.events[1:])[-2:] == ["mcp_list_tools.failed", "conversation.item.done"]
    wire.send(CREATE)
    assert wire.commands_of(Think)[0].turn.tools == []


def test_server_is_found_by_its_url():
    """A server may be scripted under its URL."""
    wire = library(servers={"https://books.example": SERVER})
    only(wire.events, "mcp_list_tools.completed")


def test_call_without_approval():
    """A call that needs no approval is made within the response."""
    wire = library(Call("search", {"title": "Emma"}), require_approval="never")
    events = wire.send(CREATE) + wire.wait(5)
    assert types(events) == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.mcp_call_arguments.delta",
        "response.mcp_call_arguments.done",
        "response.mcp_call.in_progress",
        "response.mcp_call.completed",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    item = only(events, "response.output_item.done")["item"]
    assert (item["type"], item["output"], item["arguments"]) == ("mcp_call", "Found Emma.", '{"title":"Emma"}')
    assert "status" not in item
    assert only(events, "response.done")["response"]["output"] == [item]


def test_slow_call():
    """A response may be done before its call is, which then still comes to its end."""
    slow = McpServer([McpTool("search", answer="Found.", takes_s=2)])
    wire = library(Call("search"), servers={"books": slow}, require_approval="never")
    events = wire.send(CREATE) + wire.wait(5)
    order = types(events)
    assert order.index("response.done") < order.index("response.mcp_call.completed")
    assert order[-2:] == ["conversation.item.done", "response.output_item.done"]


def test_failed_call():
    """A tool that does not work fails its call, with the error in the item."""
    wire = library(Call("order"), require_approval="never")
    events = wire.send(CREATE) + wire.wait(5)
    only(events, "response.mcp_call.failed")
    item = only(events, "response.output_item.done")["item"]
    assert item["error"] == {"type": "tool_execution_error", "message": "Out of stock."}


def test_tool_that_raises():
    """An exception in a scripted tool is its failure."""

    def broken(_arguments):
        raise KeyError

    wire = library(
        Call("search"), servers={"books": McpServer([McpTool("search", answer=broken)])}, require_approval="never"
    )
    events = wire.send(CREATE) + wire.wait(5)
    assert only(events, "response.output_item.done")["item"]["error"]["message"] == "KeyError"


@pytest.mark.parametrize(("kind", "code"), [("protocol_error", -32601), ("http_error", 502)])
def test_other_failures(kind, code):
    """Failures of the protocol and of HTTP carry a code."""
    broken = McpTool("search", answer=McpFailure("No.", kind=kind, code=code))
    wire = library(Call("search"), servers={"books": McpServer([broken])}, require_approval="never")
    events = wire.send(CREATE) + wire.wait(5)
    error = only(events, "response.output_item.done")["item"]["error"]
    assert error == {"type": kind, "code": code, "message": "No."}


def test_approval():
    """A call that needs approval is asked for, made once it is given, and answered in the next response."""
    wire = library(Call("search", {"title": "Emma"}), "It is there.")
    events = wire.send(CREATE) + wire.wait(5)
    assert types(events) == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.mcp_call_arguments.delta",
        "response.mcp_call_arguments.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    request = only(events, "response.output_item.done")["item"]
    assert (request["type"], request["arguments"]) == ("mcp_approval_request", '{"title":"Emma"}')
    events = wire.send(answer(request["id"]))
    assert types(events) == [
        "conversation.item.added",
        "conversation.item.done",
        "conversation.item.added",
        "response.mcp_call.in_progress",
        "response.mcp_call.completed",
        "conversation.item.done",
        "response.output_item.done",
    ]
    call = events[-1]["item"]
    assert (call["approval_request_id"], call["output"]) == (request["id"], "Found Emma.")
    wire.send(CREATE)
    called, output = wire.commands_of(Think)[-1].turn.items[-2:]
    assert (called["type"], called["name"]) == ("function_call", "search")
    assert (output["type"], output["output"]) == ("function_call_output", "Found Emma.")


@pytest.mark.parametrize(
    ("fields", "told"), [({}, "The user did not approve of this call."), ({"reason": "Too dear."}, "Too dear.")]
)
def test_refused_approval(fields, told):
    """A call that is not approved of is not made, and the model is told."""
    wire = library(Call("search", {"title": "Emma"}), "Very well.")
    wire.send(CREATE)
    wire.wait(5)
    request = only(wire.events, "response.output_item.done")["item"]
    assert types(wire.send(answer(request["id"], approve=False, **fields))) == [
        "conversation.item.added",
        "conversation.item.done",
    ]
    wire.send(CREATE)
    assert wire.commands_of(Think)[-1].turn.items[-1]["output"] == told


def test_answer_twice():
    """A request can be answered once; what waits for no answer is refused."""
    wire = library(Call("search", {"title": "Emma"}))
    wire.send(CREATE)
    wire.wait(5)
    request_id = only(wire.events, "response.output_item.done")["item"]["id"]
    wire.send(answer(request_id))
    (error,) = wire.send(answer(request_id))
    assert (error["error"]["code"], error["error"]["param"]) == ("invalid_value", "item.approval_request_id")


@pytest.mark.parametrize(
    ("rule", "asks"),
    [
        ({"never": {"tool_names": ["search"]}}, False),
        ({"never": {"tool_names": ["order"]}}, True),
        ({"always": {"tool_names": ["order"]}}, False),
        ({"always": {"tool_names": ["search"]}}, True),
        ({"never": {"read_only": True}}, False),
        ("always", True),
        (None, True),
    ],
)
def test_rules_of_approval(rule, asks):
    """Whether a call is asked for follows from the tool's name or from whether it only reads."""
    wire = library(Call("search", {"title": "Emma"}), require_approval=rule)
    wire.send(CREATE)
    wire.wait(5)
    kind = only(wire.events, "response.output_item.done")["item"]["type"]
    assert kind == ("mcp_approval_request" if asks else "mcp_call")


@pytest.mark.parametrize("allowed", [["search"], {"tool_names": ["search"]}, {"read_only": True}])
def test_allowed_tools(allowed):
    """Only those tools are listed and offered that are allowed."""
    wire = library("Hello.", allowed_tools=allowed)
    assert [each["name"] for each in only(wire.events, "conversation.item.done")["item"]["tools"]] == ["search"]
    wire.send(CREATE)
    assert [each["name"] for each in wire.commands_of(Think)[0].turn.tools] == ["search"]


def test_not_callable_before_it_is_listed():
    """A tool that is being listed still cannot be called."""
    wire = Wire(["Hello."], settings=Settings(mcp_servers={"books": SERVER}))
    wire.send(update(output_modalities=["text"], tools=[tool()], tool_choice="required"), CREATE)
    assert wire.commands_of(Think)[0].turn.tools == []
    wire.wait(5)
    assert only(wire.events, "response.done")["response"]["output"][0]["type"] == "message"


def test_secrets_are_not_shown():
    """The keys to a server are not in the session that the service shows."""
    wire = library(authorization="s3cret", headers={"X-Key": "s3cret"})
    assert "s3cret" not in str(wire.events)


def test_known_server_by_its_label():
    """A server that is known may be named by its label alone, and is not listed again."""
    wire = library()
    (updated,) = wire.send(update(tools=[{"type": "mcp", "server_label": "books"}]))
    assert updated["type"] == "session.updated"
    assert len(of(wire.wait(1), "mcp_list_tools.in_progress")) == 0


def test_server_of_one_response():
    """A response may bring a server of its own."""
    wire = Wire(["Hello."], settings=Settings(mcp_servers={"books": SERVER}))
    events = wire.send({"type": "response.create", "response": {"tools": [tool()]}})
    assert "mcp_list_tools.in_progress" in types(events)


@pytest.mark.parametrize("choice", [{"type": "mcp", "server_label": "books"}, "required"])
def test_forced(choice):
    """A demanded call is made whatever the engine says, with every argument that is required."""
    wire = library("I would rather talk.", require_approval="never")
    wire.send({"type": "response.create", "response": {"tool_choice": choice}})
    wire.wait(5)
    (item,) = only(wire.events, "response.done")["response"]["output"]
    assert (item["type"], item["name"], item["arguments"]) == ("mcp_call", "search", '{"title":"title"}')


def test_out_of_band_call_is_made_at_once():
    """Beside the conversation there is nobody to ask, so the call is made."""
    wire = library([Say("Looking.", "commentary"), Call("search", {"title": "Emma"})])
    wire.send({"type": "response.create", "response": {"conversation": "none"}})
    events = wire.wait(5)
    assert of(events, "conversation.item.added") == []
    assert only(events, "response.done")["response"]["output"][1]["output"] == "Found Emma."


def test_function_of_the_same_name():
    """A function of the client's hides an MCP tool of the same name."""
    wire = Wire([Call("search")], settings=Settings(mcp_servers={"books": SERVER}))
    wire.send(update(output_modalities=["text"], tools=[tool(), {"type": "function", "name": "search"}]))
    wire.wait(1)
    wire.send(CREATE)
    wire.wait(5)
    assert only(wire.events, "response.done")["response"]["output"][0]["type"] == "function_call"


def test_seeded_items():
    """A client may bring the MCP items of an earlier session along."""
    wire = Wire(["Yes."])
    call = {"type": "mcp_call", "server_label": "books", "name": "search", "arguments": "{}", "output": "Found."}
    listed = {"type": "mcp_list_tools", "server_label": "books", "tools": []}
    pending = {"type": "mcp_call", "server_label": "books", "name": "search", "arguments": "{}"}
    for item in (call, listed, pending):
        assert types(wire.send({"type": "conversation.item.create", "item": item})) == [
            "conversation.item.added",
            "conversation.item.done",
        ]
    wire.send(user_says("and?"), CREATE)
    kinds = [item["type"] for item in wire.commands_of(Think)[0].turn.items]
    assert kinds == ["function_call", "function_call_output", "message"]


@pytest.mark.parametrize(
    ("tools", "code", "param"),
    [
        ([tool(), tool()], "invalid_value", "tools[1].server_label"),
        ([tool(connector_id="connector_gmail")], "invalid_value", "tools[0].connector_id"),
        ([tool(server_url=None)], "missing_required_parameter", "tools[0].server_url"),
        ([tool(connector_id="connector_x")], "invalid_value", "session.tools[0].connector_id"),
        ([tool(authorization="a", headers={"authorization": "b"})], "invalid_value", "tools[0].authorization"),
        ([tool(require_approval="maybe")], "invalid_value", "session.tools[0].require_approval"),
        ([{"type": "mcp"}], "missing_required_parameter", "session.tools[0].server_label"),
    ],
)
def test_refusals(tools, code, param):
    """A server that is not said clearly is refused before anything is listed."""
    wire = Wire()
    (error,) = wire.send(update(tools=tools))
    assert (error["error"]["code"], error["error"]["param"]) == (code, param)
    assert wire.session.config["tools"] == []
