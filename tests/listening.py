"""Play the shipped questions, listen to what the library says, and tell which of a few sentences it is."""

import wave
from collections.abc import Sequence

import numpy as np

from openai_realtime_api_utils.audio.resample import resample
from openai_realtime_api_utils.simulator import questions
from openai_realtime_api_utils.simulator.local.decoding import Sentence, make_decoder
from openai_realtime_api_utils.simulator.local.listener import jsgf, spoken_form

RATE = 24_000

ANSWERS = (
    "Six times seven is forty-two.",
    "Six times seven is forty-nine.",
    "Six times nine is fifty-four.",
    "Six times eight is forty-eight.",
    "Seven times eight is fifty-six.",
    "Nine times nine is eighty-one.",
    "Twenty plus thirty is fifty.",
    "One hundred divided by four is twenty-five.",
    "It is nine fourteen in the morning.",
    "It is half past three in the afternoon.",
    "Today is Friday, the twentieth of November.",
    "Today is Monday, the first of January.",
    "I did not understand any words. Could you say it again?",
    "Hello, I am a local stand-in for the real model. Ask me for the time, a sum, or a story.",
    "I have no way to look up the weather.",
    "You are welcome.",
    "Goodbye, and thank you for talking to me.",
    "All right, I will stop here.",
    "I have said nothing yet.",
    "Once upon a time there was a lighthouse at the end of the world.",
)
"""What the local engine may say, and what sounds like it."""


def question(name: str = questions.DEFAULT) -> np.ndarray:
    """Return a shipped question, int16 at 24 kHz."""
    with wave.open(str(questions.path(name))) as sound:
        samples = np.frombuffer(sound.readframes(sound.getnframes()), np.int16)
        return resample(samples, sound.getframerate(), RATE)


def which_sentence(samples_24k: np.ndarray, candidates: Sequence[str]) -> str:
    """Return the candidate that a real listener hears in int16 samples at 24 kHz; "" if it hears none of them.

    Candidates may hold several sentences. Numbers must be written in words.
    """
    pause = np.zeros(RATE // 4, np.int16)
    utterance = Sentence(make_decoder(jsgf(candidates)))
    utterance.hear(np.concatenate((pause, samples_24k, pause)))
    heard = utterance.finish()
    return next((candidate for candidate in candidates if spoken_form(candidate) == heard), "")
