"""Make the ids and the padding that the service makes up, from a seed."""

from __future__ import annotations

import random
import string

_BASE62 = string.ascii_uppercase + string.ascii_lowercase + string.digits
_ID_CHARS = 21
"""Characters after ``event_``, ``item_``, ``resp_``, ``conv_`` and ``sess_`` (recorded sessions)."""
_CALL_CHARS = 16
"""Characters after ``call_`` (recorded sessions)."""
_PAD_BLOCK = 16
"""A text delta and its padding fill whole blocks of this many characters (recorded sessions)."""


class Ids:
    """Draw ids that look like the service's, the same ones for the same seed."""

    def __init__(self, seed: int = 0) -> None:
        self.random = random.Random(seed)  # noqa: S311  (nothing here is a secret)

    def _draw(self, n: int) -> str:
        return "".join(self.random.choices(_BASE62, k=n))

    def new(self, kind: str) -> str:
        """Return a new id: ``kind`` is ``event``, ``item``, ``resp``, ``conv``, ``sess`` or ``call``."""
        return f"{kind}_{self._draw(_CALL_CHARS if kind == 'call' else _ID_CHARS)}"

    def padding(self, delta: str) -> str:
        """Return the ``obfuscation`` that hides how long ``delta`` is."""
        return self._draw(-len(delta) % _PAD_BLOCK or _PAD_BLOCK)
