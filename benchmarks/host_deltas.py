"""Make the events of an assistant that speaks."""

import base64
from typing import Any

import numpy as np

from openai_realtime_api_utils.events import decode


def delta_frame(n: int, samples: np.ndarray) -> str:
    """Return the frame with sound of the item ``n``."""
    return (
        '{"type": "response.output_audio.delta", "event_id": "e", "response_id": "r", "output_index": 0, '
        f'"content_index": 0, "item_id": "item_{n}", "delta": "{base64.b64encode(samples.tobytes()).decode()}"}}'
    )


def delta(n: int, samples: np.ndarray) -> Any:
    """Return sound of the item ``n``."""
    return decode(delta_frame(n, samples))


def done(n: int) -> Any:
    """Return the end of the item's sound."""
    return decode(
        '{"type": "response.output_audio.done", "event_id": "e", "response_id": "r", "output_index": 0, '
        f'"content_index": 0, "item_id": "item_{n}"}}'
    )
