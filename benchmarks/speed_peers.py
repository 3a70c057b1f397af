"""Make an environment for each peer, run one job in it, and read what it took."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
ENVIRONMENTS = ROOT / ".venv" / "peers"
ISOLATED = ("floor", "openai_agents", "livekit", "pipecat")
"""The stacks with an environment of their own; the others run in that of the benchmark."""

CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def available() -> list[str]:
    """Make what is missing of the peers' environments; return the stacks that can be run."""
    stacks = ["ours", "openai"]
    with contextlib.suppress(ImportError):
        import picows  # noqa: F401
        import uvloop  # noqa: F401

        stacks.append("ours_fast")
    return stacks + [name for name in ISOLATED if made(name)]


def made(name: str) -> bool:
    lock, folder = HERE / "peers" / f"{name}.txt", ENVIRONMENTS / name
    stamp = folder / ".installed"
    if stamp.exists() and stamp.read_text() == lock.read_text():
        return True
    if shutil.which("uv") is None and not (ROOT / "tools" / "make_environment.py").exists():
        return False
    tool = [sys.executable, str(ROOT / "tools" / "make_environment.py")]
    done = subprocess.run([*tool, str(lock.relative_to(ROOT)), str(folder.relative_to(ROOT))], cwd=ROOT, check=False)
    if done.returncode == 0:
        stamp.write_text(lock.read_text())
        return True
    print(f"the environment of {name} could not be made; it is left out", file=sys.stderr)
    return False


@contextlib.contextmanager
def server() -> Generator[str]:
    """Run the replaying server on the last core; yield the beginning of its URLs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.speed_server"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    if len(CORES) > 1:
        os.sched_setaffinity(process.pid, {CORES[-1]})
    try:
        port = int(process.stdout.readline())  # type: ignore[union-attr]
        yield f"ws://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def run(stack: str, job: str, url: str, *numbers: float) -> dict[str, Any] | None:
    """Put a stack to a job on the first core; None if it failed."""
    python = ENVIRONMENTS / stack / "bin" / "python" if stack in ISOLATED else Path(sys.executable)
    command = [str(python), str(HERE / "peers" / "drive.py"), stack, job, f"{url}/realtime", *map(str, numbers)]
    if len(CORES) > 1 and shutil.which("taskset"):
        command = ["taskset", "-c", str(CORES[0]), *command]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False, cwd=ROOT)
    except subprocess.TimeoutExpired:
        return None
    found = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not found:
        print(f"{stack} {job}: {done.stderr.strip().splitlines()[-1:] or done.returncode}", file=sys.stderr)
        return None
    return json.loads(found[-1])
