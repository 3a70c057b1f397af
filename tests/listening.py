"""Listen to what the library says, and tell which of a few sentences it is."""

from collections.abc import Sequence

import numpy as np

from openai_realtime_api_utils.simulator.local.decoding import Sentence, make_decoder
from openai_realtime_api_utils.simulator.local.listener import jsgf, spoken_form

RATE = 24_000


def which_sentence(samples_24k: np.ndarray, candidates: Sequence[str]) -> str:
    """Return the candidate that a real listener hears in int16 samples at 24 kHz; "" if it hears none of them.

    Candidates may hold several sentences. Numbers must be written in words.
    """
    pause = np.zeros(RATE // 4, np.int16)
    utterance = Sentence(make_decoder(jsgf(candidates)))
    utterance.hear(np.concatenate((pause, samples_24k, pause)))
    heard = utterance.finish()
    return next((candidate for candidate in candidates if spoken_form(candidate) == heard), "")
