"""Say how the simulated service behaves where the real one may behave in more than one way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .mcp_server import McpServer


@dataclass(frozen=True)
class Settings:
    """Hold what is the same for every session of one simulator. Times in seconds."""

    model: str = "gpt-realtime-2.1"
    """The model of a connection that names none."""
    pace: float = 4.0
    """Seconds of speech sent in one second. The service sends 3 to 5 within the first second (measured by others)."""
    first_audio_s: float = 0.3
    """The least time from ``response.created`` to the first output, as if the model had to think."""
    text_tokens_per_s: float = 80.0
    """Tokens of text and of function arguments in one second."""
    lifetime_s: float = 3600.0
    """How long a session lives; 60 minutes at the service (API reference)."""
    keep_audio_s: float = 300.0
    """How much sound a conversation keeps for ``conversation.item.retrieve``; the oldest goes first."""
    tokens_per_minute: int = 15_000_000
    """How many tokens one session may use; as recorded sessions show it. Without any, responses fail."""
    input_tokens: int | None = None
    """How many tokens of input a model takes before the oldest items are left out; None for what is published."""
    mcp_servers: Mapping[str, McpServer] = field(default_factory=dict[str, McpServer])
    """The MCP servers that there are, by label, URL, connector or tunnel; any other cannot be reached."""
    api_keys: frozenset[str] | None = None
    """The keys that are let in; None lets any key in, but a key there must be."""
    refuse_key: Literal["close", "http"] = "close"
    """How a wrong key is refused: closed with code 3000 after the upgrade (reported), or HTTP 401 before it."""
    models: frozenset[str] | None = None
    """The models that exist; None lets any name pass."""
    refuse_model: Literal["close", "http"] = "http"
    """How an unknown model is refused: HTTP 404 before the upgrade, or closed with code 3000 (both reported)."""
    seed: int = 0
    """Ids, padding and chunk sizes follow from it; each session of a server adds its own number to it."""
