"""Be an MCP server as they were before 2026: a line of JSON for a line of JSON. Its tools come one to a page."""

import json
import sys

tools = ["look", "learn"]


def tell(**message):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def answer(method, params):
    if method == "initialize":
        version = params["protocolVersion"]
        about = {"serverInfo": {"name": "old", "version": "1"}, "capabilities": {"tools": {"listChanged": True}}}
        return {"protocolVersion": version, **about}
    if method == "tools/list":
        at = int(params.get("cursor") or 0)
        listed = {"tools": [{"name": tools[at], "inputSchema": {"type": "object"}}]}
        return {**listed, "nextCursor": str(at + 1)} if at + 1 < len(tools) else listed
    if method == "tools/call":
        tools.append("learnt")
        tell(method="notifications/tools/list_changed")
        return {"content": [{"type": "text", "text": "changed"}]}
    return None


for line in sys.stdin:
    request = json.loads(line)
    if "id" in request:
        result = answer(request["method"], request.get("params") or {})
        if result is None:
            tell(id=request["id"], error={"code": -32601, "message": "Method not found"})
        else:
            tell(id=request["id"], result=result)
