"""Write a conversation down so that people can read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from .items import Item, Part
from .reading import read_list, read_text


def transcript(items: Iterable[Item]) -> str:
    """Return one line for each item: who said what, as far as it was heard; what was called, and what came of it."""
    items = tuple(items)
    called = {item.call_id: item.name for item in items if item.type == "function_call"}
    return "\n".join(_LINES.get(item.type or "", _other)(item, called) for item in items)


def _message(item: Item, _: object) -> str:
    if item.told_heard_text is not None:
        said = [item.told_heard_text]
    else:
        said = [part.heard_text or _unsaid(part) for part in item.content]
    marks = {
        "[interrupted]": item.truncated_ms is not None or item.status == "incomplete",
        "[...]": item.status == "in_progress",
    }
    return _line(f"{item.role or 'message'}:", *said, *(mark for mark, applies in marks.items() if applies))


def _unsaid(part: Part) -> str:
    """Stand in for a part that has no words."""
    if part.error is not None:
        return f"[audio that was not transcribed: {part.error.get('message') or part.error.get('code')}]"
    if part.type == "input_image":
        return "[image]"
    return "[audio]" if part.type == "input_audio" else ""


def _function_call(item: Item, _: object) -> str:
    return _line(f"assistant calls {item.name}({item.arguments or ''})")


def _function_call_output(item: Item, called: Mapping[str | None, str | None]) -> str:
    return _line(f"{called.get(item.call_id) or item.call_id} returns:", item.output)


def _mcp_call(item: Item, _: object) -> str:
    failed = read_text(item.error, "message") or item.error
    came = f"fails: {failed}" if item.error is not None else f"returns: {item.output or '[...]'}"
    return _line(f"assistant calls {_tool(item)}({item.arguments or ''}), which {came}")


def _mcp_list_tools(item: Item, _: object) -> str:
    names = ", ".join(filter(None, (read_text(tool, "name") for tool in read_list(item.details, "tools"))))
    return _line(f"{item.details.get('server_label')} offers:", names or f"[{item.status or 'nothing'}]")


def _mcp_approval_request(item: Item, _: object) -> str:
    return _line(f"assistant asks to call {_tool(item)}({item.arguments or ''})")


def _mcp_approval_response(item: Item, _: object) -> str:
    return _line("user", "approves" if item.details.get("approve") else "refuses", item.details.get("reason"))


def _other(item: Item, _: object) -> str:
    return f"[{item.type or 'item'}]"


def _tool(item: Item) -> str:
    return f"{item.details.get('server_label')}.{item.name}"


def _line(*words: object) -> str:
    """Join words into one line, whatever white space is in them."""
    return " ".join(" ".join(str(word) for word in words if word).split())


_LINES: Mapping[str, Callable[[Item, Mapping[str | None, str | None]], str]] = {
    "message": _message,
    "function_call": _function_call,
    "function_call_output": _function_call_output,
    "mcp_call": _mcp_call,
    "mcp_list_tools": _mcp_list_tools,
    "mcp_approval_request": _mcp_approval_request,
    "mcp_approval_response": _mcp_approval_response,
}
