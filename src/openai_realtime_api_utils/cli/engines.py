"""Make the simulator's engines from what the command line asks for."""

from __future__ import annotations

from ..clock import Clock
from ..simulator.local import ChatEndpoint, LocalEngine
from .saying import CommandError


def local_engine(clock: Clock, chat_url: str | None, chat_model: str | None) -> LocalEngine:
    """Return an engine that needs no key; a chat model thinks in place of its rules where one is named.

    Raises:
        CommandError: only one of the two chat options was given.
    """
    if (chat_url is None) != (chat_model is None):
        given, missing = ("--chat-url", "--chat-model") if chat_model is None else ("--chat-model", "--chat-url")
        raise CommandError(f"{given} was given without {missing}: give both, or neither.")
    chat = ChatEndpoint(chat_url, chat_model) if chat_url and chat_model else None
    return LocalEngine(clock=clock, chat=chat)
