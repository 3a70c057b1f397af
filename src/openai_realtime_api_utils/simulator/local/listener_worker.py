"""Listen in a process of its own: ``pocketsphinx`` holds the processor, and the GIL, for 0.15 s per second of sound.

Run as a program, with a JSGF grammar as its argument, or an empty one for general English.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...errors import SimulatorError
from .exchange import serve

if TYPE_CHECKING:
    from .decoding import Sentence, Utterance

REQUEST = struct.Struct("<cQ")
"""What to do, and with which utterance; the sound follows."""
BEGIN, HEAR, FINISH, DROP = b"b", b"h", b"f", b"d"

MAX_OPEN = 4
"""Utterances under way at once; each needs a decoder of some 60 MB. One more, and the oldest is lost."""


def start(grammar: str) -> Callable[[bytes], bytes]:
    """Load the models and return the function that answers requests."""
    import numpy as np

    from .decoding import Sentence, Utterance, make_decoder

    kind = Sentence if grammar else Utterance
    idle = [make_decoder(grammar)]
    under_way: dict[int, Utterance | Sentence] = {}

    def end(number: int) -> Utterance | Sentence:
        utterance = under_way.pop(number)
        idle.append(utterance.decoder)
        return utterance

    def answer(request: bytes) -> bytes:
        what, number = REQUEST.unpack_from(request)
        if what == BEGIN:
            if len(under_way) == MAX_OPEN:
                end(next(iter(under_way))).drop()
            under_way[number] = kind(idle.pop() if idle else make_decoder(grammar))
        if number not in under_way:
            if what == DROP:
                return b""
            raise SimulatorError(
                f"this utterance was lost: more than {MAX_OPEN} were under way, or the listener was restarted."
            )
        if what == FINISH:
            return end(number).finish().encode()
        if what == DROP:
            end(number).drop()
            return b""
        return under_way[number].hear(np.frombuffer(request, np.int16, offset=REQUEST.size)).encode()

    return answer


if __name__ == "__main__":
    serve(lambda: start(sys.argv[1]))
