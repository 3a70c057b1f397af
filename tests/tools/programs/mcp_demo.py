"""Be an MCP server for the tests: over standard input and output, or over HTTP on the port that is given."""

import os
import sys

from mcp.server import MCPServer
from mcp.server.mcpserver import Context

app = MCPServer("demo")


@app.tool()
def shout(text: str) -> str:
    """Say it loudly."""
    if text == "fail":
        raise ValueError("no shouting here")
    return text.upper()


@app.tool()
def die() -> str:
    """End the server."""
    sys.stderr.write("I have had enough.\n")
    sys.stderr.flush()
    os._exit(3)


@app.tool(name="odd name!")
def odd() -> dict[str, int]:
    """Return something structured."""
    return {"sum": 3}


@app.tool()
async def learn(name: str, context: Context) -> str:
    """Have one more tool."""
    app.add_tool(lambda: f"{name} it is", name=name, description="Learnt.")
    await context.notify_tools_changed()
    return "changed"


if len(sys.argv) > 1:
    app.run("streamable-http", port=int(sys.argv[1]))
else:
    app.run()
