"""Play items that come over a choppy network, on a manual clock, and count the holes."""

import base64

import numpy as np

from openai_realtime_api_utils import AudioPlayer, ManualClock, MemorySpeaker
from openai_realtime_api_utils.events import decode

RATE = 24_000


def rebuffers_of_choppy_items(items: int) -> tuple[int, int]:
    """Return the most holes in one item, and how many items there were.

    Each item comes in a session of its own, so that nothing is learned from the one before.
    """
    rng = np.random.default_rng(11)
    worst = 0
    for n in range(items):
        clock = ManualClock()
        player = AudioPlayer(MemorySpeaker(clock), clock=clock)
        received_ms, burst_ms = 0.0, 100
        while received_ms < 8_000:
            player.server_event_handler(_delta(n, burst_ms), {}, None)
            received_ms += burst_ms
            gap_ms = float(rng.uniform(0, 300))
            clock.advance(gap_ms / 1000)
            burst_ms = 1 + int(
                gap_ms * rng.uniform(0.7, 1.7)
            )  # what was spoken meanwhile, 1.2 times as fast on average
        worst = max(worst, player.underruns)
    return worst, items


def _delta(n: int, ms: int) -> object:
    sound = base64.b64encode(np.full(RATE * ms // 1000, 1_000, "<i2").tobytes()).decode()
    return decode(
        '{"type": "response.output_audio.delta", "event_id": "e", "response_id": "r", "output_index": 0, '
        f'"content_index": 0, "item_id": "item_{n}", "delta": "{sound}"}}'
    )
