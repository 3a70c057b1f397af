"""Be an MCP server for the tests: over standard input and output, or over HTTP on the port that is given."""

import os
import sys

from mcp.server import MCPServer

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


if len(sys.argv) > 1:
    app.run("streamable-http", port=int(sys.argv[1]))
else:
    app.run()
