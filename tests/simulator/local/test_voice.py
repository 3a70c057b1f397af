import importlib.util
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from listening import ANSWERS, which_sentence
from openai_realtime_api_utils.audio.level import peak_dbfs, rms_dbfs
from openai_realtime_api_utils.clock import SystemClock
from openai_realtime_api_utils.errors import MissingExtraError, SimulatorError
from openai_realtime_api_utils.simulator.engine import RATE
from openai_realtime_api_utils.simulator.local.speech import shaped
from openai_realtime_api_utils.simulator.local.synthesizers import speakable
from openai_realtime_api_utils.simulator.local.voice import Voice
from openai_realtime_api_utils.simulator.local.voices import TIMBRES, timbre_of


@pytest.fixture(params=["flite", "espeak-ng"])
async def voice(request):
    """Be each of the two synthesizers."""
    flite = shutil.which("flite") or ""
    if request.param == "flite" and not flite:
        pytest.skip("flite is not installed")
    made = Voice(clock=SystemClock(), flite=flite if request.param == "flite" else "")
    assert made.name == request.param
    yield made
    await made.close()


async def test_what_it_says_is_understood(voice):
    """A listener tells each of 20 answers from the others."""
    pytest.importorskip("pocketsphinx", reason="there is none for this Python")
    for sentence in ANSWERS[::4]:
        assert which_sentence(await voice.speak(sentence, voice="marin", speed=1.0), ANSWERS) == sentence


@pytest.mark.parametrize("name", [name for name in TIMBRES if name != "marin"])
async def test_every_voice_is_understood(voice, name):
    """Each of the API's voices is intelligible."""
    pytest.importorskip("pocketsphinx", reason="there is none for this Python")
    assert which_sentence(await voice.speak(ANSWERS[0], voice=name, speed=1.0), ANSWERS) == ANSWERS[0]


async def test_it_has_one_level_and_no_dead_time(voice):
    """Speech is at -20 dBFS, clips nowhere, begins at once, and ends with a short pause."""
    speech = await voice.speak(ANSWERS[0], voice="marin", speed=1.0)
    loud = np.flatnonzero(np.abs(speech) > 200)
    assert speech.dtype == np.int16
    assert -21.5 < rms_dbfs(speech[: loud[-1]]) < -19
    assert peak_dbfs(speech) < -0.5
    assert loud[0] < 0.1 * RATE
    assert 0.2 * RATE < len(speech) - loud[-1] < 0.5 * RATE


async def test_the_same_words_sound_the_same(voice):
    """No speed stays from what was said before; espeak-ng's breath is random, so lengths are compared."""
    first = await voice.speak("Good morning.", voice="alloy", speed=1.0)
    await voice.speak("Something else!", voice="verse", speed=1.4)
    second = await voice.speak("Good morning.", voice="alloy", speed=1.0)
    assert abs(len(first) - len(second)) < 0.02 * len(first)


async def test_voices_differ(voice):
    """No two of the API's voices sound alike."""
    sounds = {(await voice.speak("Good morning.", voice=name, speed=1.0)).tobytes() for name in TIMBRES}
    assert len(sounds) == len(TIMBRES)


async def test_speed_changes_the_length(voice):
    """Half as fast again is about two thirds as long."""
    slow, fast = [len(await voice.speak(ANSWERS[0], voice="marin", speed=speed)) for speed in (1.0, 1.5)]
    assert 0.55 < fast / slow < 0.85


@pytest.mark.parametrize("text", ["", "  ", "\n", "**", "..."])
async def test_text_without_words_is_silent(voice, text):
    """Nothing to say is no sound, or next to none, and no error."""
    assert len(await voice.speak(text, voice="marin", speed=1.0)) < RATE


@pytest.mark.parametrize(
    "text", ["-o /tmp/x", "--help", "$(date); `date`", "a\x00b", "caf\u00e9 \u4f60\u597d \U0001f600"]
)
async def test_odd_text_is_spoken_and_nothing_else(voice, text):
    """Text is never an option, a command or a reason to fail."""
    assert len(await voice.speak(text, voice="marin", speed=1.0)) > 0


async def test_a_name_that_nobody_knows_has_a_voice_too(voice):
    """A custom voice is spoken as one of the known ones."""
    assert len(await voice.speak("Hello.", voice="voice_of_my_own", speed=1.0)) > 0


async def test_espeak_is_never_loaded_into_this_process(voice):
    """The GPL library stays in the worker."""
    await voice.speak("Hello.", voice="marin", speed=1.0)
    assert "espeakng_loader" not in sys.modules
    maps = Path("/proc/self/maps")
    assert not maps.exists() or "espeak" not in maps.read_text()


async def test_a_flite_that_fails_is_told():
    """A program that does not speak is named with its exit code."""
    broken = Voice(clock=SystemClock(), flite=shutil.which("false") or "false")
    with pytest.raises(SimulatorError, match=r"false ended with exit code 1: it said nothing"):
        await broken.speak("Hello.", voice="marin", speed=1.0)
    await broken.close()


def test_without_any_voice_the_extra_is_named(monkeypatch):
    """The error names the package and the command that installs it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"espeakng_loader.*\[local\]"):
        Voice(clock=SystemClock(), flite="")


def test_a_custom_voice_always_sounds_the_same():
    """The choice follows from the name alone."""
    assert timbre_of("mine") == timbre_of("mine")
    assert len({timbre_of(f"voice {number}") for number in range(50)}) > 1


def test_markup_is_not_read_aloud():
    """Markdown's signs and control characters go, and spaces are single."""
    assert speakable("**Well**,\n`this` is # it\x00!") == "Well , this is it !"


def test_shaping_keeps_silence_empty():
    """Sound without speech is no speech."""
    assert len(shaped(np.zeros(1000, np.int16), 16_000)) == 0


def test_shaping_resamples():
    """A second at 16 kHz is a second at the engine's rate, and the pause behind it."""
    tone = (8000 * np.sin(np.arange(16_000) * 0.2)).astype(np.int16)
    assert abs(len(shaped(tone, 16_000)) - 1.25 * RATE) < 0.01 * RATE
