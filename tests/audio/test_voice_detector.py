"""The local voice detector on a spoken question, noise and silence."""

import numpy as np
import pytest

from openai_realtime_api_utils.audio.voice import RATE, VoiceDetector
from openai_realtime_api_utils.host.wav_reader import read_wav
from openai_realtime_api_utils.simulator import questions

QUESTION = read_wav(questions.path())
BEGINS_S = int(np.flatnonzero(np.abs(QUESTION.astype(int)) > 500)[0]) / RATE


def noise(seconds, dbfs, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.standard_normal(round(seconds * RATE)) * 32_768 * 10 ** (dbfs / 20)).astype(np.int16)


def changes(sound, step=480):
    """Return when talk began and ended, in seconds."""
    detector, told, was = VoiceDetector(), [], False
    for n in range(0, len(sound), step):
        detector.hear(sound[n : n + step])
        if detector.is_talking != was:
            was = detector.is_talking
            told.append((n + step) / RATE)
    return told


@pytest.mark.parametrize("background", [-90, -50])
def test_talk_is_heard_within_a_third_of_a_second(background):
    """And its end too."""
    sound = noise(len(QUESTION) / RATE + 3, background)
    sound[RATE : RATE + len(QUESTION)] += QUESTION
    told = changes(sound)
    assert told[0] - 1 - BEGINS_S < 0.33
    assert told[0] - 1 > 0
    assert len(told) % 2 == 0


@pytest.mark.parametrize("dbfs", [-70, -50, -40])
def test_steady_noise_is_no_talk(dbfs):
    """Not even when a gate opens on it after silence."""
    sound = np.concatenate((np.zeros(RATE, np.int16), noise(2, dbfs), np.zeros(RATE, np.int16), noise(2, dbfs, 1)))
    assert [] == changes(sound)


@pytest.mark.parametrize("step", [97, 240, 4_800])
def test_how_the_sound_is_cut_changes_little(step):
    """The same judgements, told at the end of each piece."""
    whole, cut = changes(QUESTION), changes(QUESTION, step)
    assert len(whole) == len(cut) or step == 4_800
    assert whole[0] == pytest.approx(cut[0], abs=max(step, 480) / RATE)


def test_a_click_is_no_talk():
    """Less than 60 ms is not."""
    sound = np.zeros(RATE, np.int16)
    sound[12_000:12_500] = 20_000
    assert [] == changes(sound)


def test_talk_begins_when_it_may():
    """What may not begin is asked for again 20 ms later; it is heard meanwhile, and begins at once when it may."""
    detector, asked = VoiceDetector(), []
    for n in range(0, len(QUESTION), 480):
        detector.hear(QUESTION[n : n + 480], lambda n=n: asked.append(n) or len(asked) >= 5)
        if detector.is_talking:
            break
    assert [480 * n for n in range(5)] == [n - asked[0] for n in asked]
