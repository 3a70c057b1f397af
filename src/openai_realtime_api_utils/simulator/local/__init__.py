"""Be an engine that needs no key and no network: a real listener, a mind of a few rules or a chat model, a voice."""

from .chat import ChatEndpoint
from .engine import LocalEngine

__all__ = ["ChatEndpoint", "LocalEngine"]
