"""Be a worker process's side of the pipe: take a request from standard input, answer on standard output.

A message is its length (4 bytes, little-endian), a mark, and its bytes. The mark of an answer says whether it is
one, or the sentence of what went wrong. The worker ends when its standard input does, so it cannot outlive us.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Callable
from typing import BinaryIO

HEADER = struct.Struct("<I?")
"""Length of the body, and True unless the body is an error's sentence."""


def serve(start: Callable[[], Callable[[bytes], bytes]]) -> None:
    """Answer requests until there are no more.

    Args:
        start: makes the function that answers, when the first request is there: so a failure to start is told like
            any other, and the next request tries again.
    """
    requests = sys.stdin.buffer
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)  # what a library prints must not run into the answers
        answer: Callable[[bytes], bytes] | None = None
        while (request := _read(requests)) is not None:
            try:
                answer = answer or start()
                ok, body = True, answer(request)
            except Exception as error:  # noqa: BLE001 - whatever it was, it belongs in the answer
                ok, body = False, (str(error) or type(error).__name__).encode()
            try:
                answers.write(HEADER.pack(len(body), ok) + body)
                answers.flush()
            except BrokenPipeError:
                os._exit(0)  # nobody reads any more; closing the pipe properly would only raise again


def _read(requests: BinaryIO) -> bytes | None:
    header = requests.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    length, _ = HEADER.unpack(header)
    body = requests.read(length)
    return body if len(body) == length else None
