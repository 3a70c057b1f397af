"""Play items that come over a choppy network, on a manual clock, and count the holes."""

import numpy as np

from benchmarks.host_deltas import delta
from openai_realtime_api_utils import AudioPlayer, ManualClock, MemorySpeaker

RATE = 24_000
LONGEST_GAP_MS = 300


def rebuffers_of_choppy_items(items: int) -> tuple[int, int]:
    """Return the most holes in one item, and how many began with more received ahead than the longest gap.

    Each item comes in a session of its own, so that nothing is learned from the one before.
    """
    rng = np.random.default_rng(11)
    worst = ahead = 0
    for n in range(items):
        clock = ManualClock()
        player = AudioPlayer(MemorySpeaker(clock), clock=clock)
        received_ms, burst_ms = 0.0, 100
        while received_ms < 8_000:
            player.server_event_handler(delta(n, np.full(RATE * burst_ms // 1000, 1_000, "<i2")), {}, None)
            received_ms += burst_ms
            gap_ms = float(rng.uniform(0, LONGEST_GAP_MS))
            heard_ms, before = player.heard(f"item_{n}"), player.underruns
            clock.advance(gap_ms / 1000)
            if received_ms - heard_ms > LONGEST_GAP_MS:
                ahead += player.underruns - before
            # What was spoken meanwhile, 1.2 times as fast on average.
            burst_ms = 1 + int(gap_ms * rng.uniform(0.7, 1.7))
        worst = max(worst, player.underruns)
    return worst, ahead
