"""openai-agents: where its default tracker takes playback to be, at the times of a trial. Reads JSON, writes JSON.

The tracker and the reading of it are the package's own; only its clock is the trial's.
"""

import json
import sys
from unittest.mock import patch

from agents.realtime import openai_realtime


def main() -> None:
    """Take what was received and when, and the times at which it is asked."""
    trial = json.load(sys.stdin)
    model = openai_realtime.OpenAIRealtimeWebSocketModel()
    tracker = model._audio_state_tracker
    tracker.set_audio_format("pcm16")
    happened = [(t, n) for t, n in trial["received"]] + [(t, None) for t in trial["asked"]]
    answers = []
    with patch("time.monotonic") as now:
        for t, n in sorted(happened, key=lambda each: each[0]):
            now.return_value = t
            if n is not None:
                tracker.on_audio_delta("item", 0, bytes(2 * n))
                continue
            elapsed_ms = model._get_playback_state()["elapsed_ms"]
            received_ms, _ = model._get_audio_limits("item", 0)
            answers.append(min(elapsed_ms, received_ms))  # as where it truncates
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
