"""Be a worker that does what a test asks of it; run in a process of its own."""

import os
import time

from openai_realtime_api_utils.simulator.local.exchange import serve


def obey(request: bytes) -> bytes:
    what, _, detail = request.partition(b" ")
    match what:
        case b"pid":
            return str(os.getpid()).encode()
        case b"echo":
            return detail
        case b"big":
            return b"x" * int(detail)
        case b"print":
            os.write(1, b"this belongs to nobody")
            return b"printed"
        case b"fail":
            raise ValueError(detail.decode())
        case b"hang":
            time.sleep(60)
        case b"exit":
            os._exit(int(detail))
    return b""


if __name__ == "__main__":
    serve(lambda: obey)
