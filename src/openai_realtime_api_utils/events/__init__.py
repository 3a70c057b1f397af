"""Turn frames into typed events, events into frames, and events into what may be shown."""

from .decode import UnknownEvent, decode, prepare
from .encode import as_dict, encode, encode_dict
from .redact import redact, redact_text, visible

__all__ = ["UnknownEvent", "as_dict", "decode", "encode", "encode_dict", "prepare", "redact", "redact_text", "visible"]
