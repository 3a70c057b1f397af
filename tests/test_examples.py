"""The examples run as they stand, and what they write is the answer."""

import subprocess
import sys
from pathlib import Path

import pytest

from listening import ANSWERS, which_sentence
from wav_files import read_wav

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("simple", ["user: [audio]", "assistant: Six times seven is forty-two."]),
        ("full", ["user: what is six times seven", "assistant: Six times seven is forty-two."]),
        (
            "classes",
            [
                "you:       what is twenty plus thirty",
                "assistant: Twenty plus thirty is fifty.",
                "you:       and what is nine times nine",
                "assistant: Nine times nine is eighty-one.",
            ],
        ),
    ],
)
def test_an_example_runs_offline(name, said, tmp_path):
    """With the local simulator an example needs nothing, says what is expected, and writes the answer."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{name}.py")], cwd=tmp_path, capture_output=True, text=True, timeout=100
    )
    assert (done.returncode, done.stdout.strip().splitlines()) == (0, said), done.stderr
    rate, samples = read_wav(tmp_path / "answer.wav")
    assert rate == 24_000
    if name != "classes":  # which holds two answers and the pause between them
        assert which_sentence(samples, ANSWERS) == "Six times seven is forty-two."


def test_the_simple_example_is_short():
    """The fewest lines that do the job are under 40."""
    assert len((EXAMPLES / "simple.py").read_text().splitlines()) < 40
