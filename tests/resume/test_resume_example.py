"""The example runs as it stands."""

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "resume.py"


def test_the_example_goes_on():
    """The answer is lost, asked for again, and given in the next session."""
    done = subprocess.run([sys.executable, str(EXAMPLE)], capture_output=True, text=True, timeout=60)
    lines = done.stdout.splitlines()
    assert 0 == done.returncode, done.stderr
    assert ["response failed", "response completed"] == [line for line in lines if line.startswith("response")]
    assert ["user: Are you there?", "assistant: I am still here."] == lines[-2:]
