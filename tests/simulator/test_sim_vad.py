"""What the voice detector says of synthetic sounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_realtime_api_utils.simulator.engine import RATE
from openai_realtime_api_utils.simulator.synthetic import synthetic_speech, voiced
from openai_realtime_api_utils.simulator.turn_detection import SpeechStarted, SpeechStopped, TurnDetector
from openai_realtime_api_utils.simulator.vad import FRAME, WebRtcVad

SPEECH = voiced(2.0)
SILENCE = np.zeros(RATE, np.int16)
CONFIG = {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500}


def turns(sound, **config):
    detector = TurnDetector(WebRtcVad(), CONFIG | config, position=0)
    return [(type(signal), signal.at * 1000 // RATE) for signal in detector.push(sound)]


def test_silence_is_no_speech():
    """Digital silence has no probability at all."""
    assert set(WebRtcVad().judge(np.zeros(10 * RATE, np.int16))) == {0.0}


def test_faint_sound_is_no_speech():
    """Speech below -60 dBFS is not taken for any."""
    assert set(WebRtcVad().judge((SPEECH / 1000).astype(np.int16))) == {0.0}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("dbfs", [-55, -50, -45])
def test_room_noise_is_no_speech(seed, dbfs):
    """White noise starts no turn, nor when it sets in again after a silence, as a microphone's does that was muted."""
    noise = np.random.default_rng(seed).normal(0, 32768 * 10 ** (dbfs / 20), 5 * RATE).astype(np.int16)
    assert turns(np.concatenate((noise, SILENCE, noise))) == []


def test_speech_is_speech():
    """The synthetic voice is noticed within 100 ms, and its turn ends after the silence."""
    (started, at), (stopped, end) = turns(np.concatenate((SILENCE, SPEECH, SILENCE)))
    assert (started, stopped) == (SpeechStarted, SpeechStopped)
    assert 640 <= at <= 760  # 1000, less 300 of padding, give or take when it was noticed
    assert 3500 <= end <= 3700  # 3000 and 500 of silence, after up to 200 of hangover


def test_a_click_is_no_speech():
    """A single loud frame is smoothed away."""
    click = SILENCE.copy()
    click[12_000:12_200] = 20_000
    assert turns(click) == []


def test_threshold_means_something():
    """A sound that only lenient modes take for speech starts a turn at a low threshold and none at a high one."""
    rng = np.random.default_rng(1)
    murmur = (SPEECH * 0.1 + rng.normal(0, 220, len(SPEECH))).astype(np.int16)
    sound = np.concatenate((SILENCE, murmur, SILENCE))
    assert turns(sound, threshold=0.5) != []
    assert turns(sound, threshold=0.9) == []


def test_silence_duration_ends_the_turn():
    """A longer silence duration ends the turn later by just as much."""
    sound = np.concatenate((SILENCE, SPEECH, SILENCE, SILENCE))
    assert turns(sound, silence_duration_ms=1000)[1][1] - turns(sound, silence_duration_ms=200)[1][1] == 800


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 5000), min_size=1, max_size=5))
def test_chunking_changes_no_judgement(sizes):
    """How the stream is cut changes nothing, and every whole frame is judged once."""
    sound = np.concatenate((SILENCE[:7000], SPEECH[:17_123]))
    vad, judged, at, i = WebRtcVad(), [], 0, 0
    while at < len(sound):
        judged += vad.judge(sound[at : at + sizes[i % len(sizes)]])
        at, i = at + sizes[i % len(sizes)], i + 1
    assert judged == WebRtcVad().judge(sound)
    assert len(judged) == len(sound) // FRAME


def test_synthetic_speech_is_as_long_as_its_text():
    """60 ms a character, less when spoken faster; never silent, never clipped."""
    text = "How do you do?"
    assert len(synthetic_speech(text)) == round(len(text) * 0.06 * RATE)
    assert len(synthetic_speech(text, speed=1.5)) == round(len(text) * 0.04 * RATE)
    assert len(synthetic_speech("")) == 0
    frames = synthetic_speech(text * 5)[: 10 * 4320].reshape(-1, 4320)
    assert np.abs(frames).max(axis=1).min() > 3000
    assert np.abs(frames).max() < 32_000
