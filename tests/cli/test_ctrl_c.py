"""Ctrl-C ends ``realtime talk`` cleanly at any moment."""

import os
import pty
import random
import select
import signal
import subprocess
import sys
import termios
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from commands import environment

from wav_files import read_wav

MOMENTS = 30
AT_ONCE = 5
SEED = 20_260
LONGEST_S = 14.0
"""A whole conversation takes about this long in real time; some moments may lie behind its end."""

LAUNCH = "print('started', flush=True); import sys; sys.argv = ['realtime', 'talk']; "
LAUNCH += "from openai_realtime_api_utils.cli import main; main()"
START_UP_S = 0.15
"""Python itself, before it runs a line of ours, answers Ctrl-C with a traceback of its own."""


def interrupted_after(seconds, folder):
    """Run the command on a terminal of its own and press Ctrl-C; return (code, whether pressed, output, restored)."""
    outer, inner = pty.openpty()
    before = termios.tcgetattr(inner)
    process = subprocess.Popen(
        [sys.executable, "-c", LAUNCH],
        cwd=folder,
        env=environment(TERM="xterm-256color"),
        stdin=inner,
        stdout=inner,
        stderr=inner,
        start_new_session=True,
    )
    output, pressed, began = b"", False, None
    while process.poll() is None:
        if select.select([outer], [], [], 0.02)[0]:
            output += os.read(outer, 65536)
        now = time.monotonic()
        began = now if began is None and b"started" in output else began
        if began is not None and not pressed and now >= began + seconds:
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the whole group
            pressed = True
    while select.select([outer], [], [], 0.05)[0]:
        output += os.read(outer, 65536)
    after = termios.tcgetattr(inner)
    os.close(outer)
    os.close(inner)
    return process.returncode, pressed, output.decode(errors="replace"), before == after


def leftovers(folder):
    """Return the processes that still work in a folder; every one that the command starts does."""
    return [link for link in Path("/proc").glob("[0-9]*/cwd") if link.is_symlink() and reads_as(link, folder)]


def reads_as(link, folder):
    try:
        return link.readlink() == folder
    except OSError:  # it has ended meanwhile
        return False


@pytest.mark.timeout(300)
def test_ctrl_c_at_thirty_random_moments(tmp_path):
    """Exit code 130, no traceback, files playable, terminal as it was, no process left."""
    moments = [random.Random(SEED + n).uniform(START_UP_S, LONGEST_S) for n in range(MOMENTS)]
    folders = [tmp_path / f"{n}" for n in range(MOMENTS)]
    for folder in folders:
        folder.mkdir()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = list(pool.map(interrupted_after, moments, folders))
    for seconds, folder, (code, pressed, output, is_restored) in zip(moments, folders, results, strict=True):
        told = f"Ctrl-C after {seconds:.3f} s:\n{output}"
        assert code == (130 if pressed else 0), told
        assert "Traceback" not in output, told
        assert "Exception ignored" not in output, told
        assert is_restored, told
        assert output.count("\x1b[?25l") == output.count("\x1b[?25h"), told  # a hidden cursor is shown again
        assert leftovers(folder) == [], told
        if (folder / "answer.wav").exists():
            read_wav(folder / "answer.wav")
    assert sum(pressed for _, pressed, _, _ in results) > MOMENTS // 2
