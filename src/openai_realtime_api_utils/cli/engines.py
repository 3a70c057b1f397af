"""Make the simulator's engines from what the command line asks for."""

from __future__ import annotations

from collections.abc import Callable

from ..clock import Clock
from ..simulator.local import ChatEndpoint, LocalEngine
from .saying import CommandError


def local_engines(clock: Clock, chat_url: str | None, chat_model: str | None) -> Callable[[], LocalEngine]:
    """Return what makes engines that need no key; a chat model thinks in place of their rules where one is named.

    Raises:
        CommandError: only one of the two chat options was given.
    """
    if (chat_url is None) != (chat_model is None):
        given, missing = ("--chat-url", "--chat-model") if chat_model is None else ("--chat-model", "--chat-url")
        raise CommandError(f"{given} was given without {missing}: give both, or neither.")
    chat = ChatEndpoint(chat_url, chat_model) if chat_url and chat_model else None
    return lambda: LocalEngine(clock=clock, chat=chat)
