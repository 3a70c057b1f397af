"""Make the simulator's engines from what the command line asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..clock import Clock
from ..simulator.local import ChatEndpoint, LocalEngine
from .saying import CommandError

CHAT_KEY = "CHAT_API_KEY"
"""The variable that holds the chat endpoint's key: an option would show it to everyone who lists processes."""


def local_engines(
    clock: Clock, chat_url: str | None, chat_model: str | None, variables: Mapping[str, str]
) -> Callable[[], LocalEngine]:
    """Return what makes engines that need no key; a chat model thinks in place of their rules where one is named.

    Raises:
        CommandError: only one of the two chat options was given.
    """
    if (chat_url is None) != (chat_model is None):
        given, missing = ("--chat-url", "--chat-model") if chat_model is None else ("--chat-model", "--chat-url")
        raise CommandError(f"{given} was given without {missing}: give both, or neither.")
    key = variables.get(CHAT_KEY, "none")
    chat = ChatEndpoint(chat_url, chat_model, api_key=key) if chat_url and chat_model else None
    return lambda: LocalEngine(clock=clock, chat=chat)
