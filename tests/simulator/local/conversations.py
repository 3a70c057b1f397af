"""Write conversations as the API has them."""

from collections.abc import Mapping
from typing import Any

from openai_realtime_api_utils.simulator.engine import Turn


def user(text: str) -> dict[str, Any]:
    """Return what the user typed."""
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def spoken(transcript: str | None) -> dict[str, Any]:
    """Return what the user said."""
    return {"type": "message", "role": "user", "content": [{"type": "input_audio", "transcript": transcript}]}


def assistant(text: str) -> dict[str, Any]:
    """Return what the assistant said."""
    return {"type": "message", "role": "assistant", "content": [{"type": "output_audio", "transcript": text}]}


def system(text: str) -> dict[str, Any]:
    """Return what the developer says to the model."""
    return {"type": "message", "role": "system", "content": [{"type": "input_text", "text": text}]}


def call(name: str, call_id: str = "call_1", arguments: str = "{}") -> dict[str, Any]:
    """Return a call of a function."""
    return {"type": "function_call", "name": name, "call_id": call_id, "arguments": arguments}


def output(text: str, call_id: str = "call_1") -> dict[str, Any]:
    """Return what a function has answered."""
    return {"type": "function_call_output", "call_id": call_id, "output": text}


def function(name: str, description: str = "", **properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return a function all of whose arguments are required."""
    schema = {"type": "object", "properties": properties, "required": [*properties]}
    return {"type": "function", "name": name, "description": description, "parameters": schema}


def turn(*items: Mapping[str, Any], tools: Any = (), tool_choice: Any = "auto", instructions: str = "") -> Turn:
    """Return the turn of a model that these items lead to."""
    return Turn(instructions, items, tools, tool_choice)
