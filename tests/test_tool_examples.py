"""The examples of tools and questions run as they stand."""

import subprocess
import sys
from pathlib import Path

import pytest

from listening import which_sentence
from wav_files import read_wav

EXAMPLES = Path(__file__).parent.parent / "examples"


def run_example(name, cwd):
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{name}.py")], cwd=cwd, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ask", ["Six times seven is forty-two."]),
        (
            "classify",
            [
                "My invoice is wrong again!  ->  {'topic': 'billing', 'is_angry': True}",
                "Which phone do you recommend?  ->  {'topic': 'sales', 'is_angry': False}",
            ],
        ),
    ],
)
def test_a_written_example_runs_offline(name, said, tmp_path):
    """With a local simulator, and no sound."""
    assert run_example(name, tmp_path) == said


def test_the_weather_is_asked_by_voice_and_the_answer_spoken(tmp_path):
    """The shipped question is understood, the tool runs, and what it returned can be heard in the answer."""
    assert run_example("tools", tmp_path) == [
        'get_weather({"city":"Paris"}) answered: rain in Paris',
        "user: [audio]",
        'assistant calls get_weather({"city":"Paris"})',
        "get_weather returns: rain in Paris",
        "assistant: Get weather says: rain in Paris.",
    ]
    rate, samples = read_wav(tmp_path / "answer.wav")
    sentences = [
        f"Get weather says {what}." for what in ("rain in Paris", "rain in London", "sun in Paris", "snow in Rome")
    ]
    assert rate == 24_000
    assert which_sentence(samples, sentences) == sentences[0]


def test_a_text_only_script_is_five_lines():
    """Those of ``ask.py`` that are about asking."""
    source = (EXAMPLES / "ask.py").read_text()
    body = source.partition("async def main")[2].partition("async def offline")[0].strip().splitlines()[1:]
    assert len(body) <= 5
