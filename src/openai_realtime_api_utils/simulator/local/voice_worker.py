"""Speak in a process of its own, so that espeak-ng (GPL-3) is never loaded into the user's.

Run as a program; a request is a JSON object of ``text``, ``voice`` and ``speed``, its answer int16 at ``engine.RATE``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

from .exchange import serve


def start(flite: str) -> Callable[[bytes], bytes]:
    """Choose the synthesizer and return the function that answers requests.

    Args:
        flite: path of the ``flite`` program; where it is empty, espeak-ng speaks.
    """
    from .speech import shaped
    from .synthesizers import Espeak, Flite
    from .voices import timbre_of

    synthesizer = Flite(flite) if flite else Espeak()

    def answer(request: bytes) -> bytes:
        wanted = json.loads(request)
        return shaped(*synthesizer.say(wanted["text"], timbre_of(wanted["voice"]), wanted["speed"])).tobytes()

    return answer


if __name__ == "__main__":
    serve(lambda: start(sys.argv[1]))
