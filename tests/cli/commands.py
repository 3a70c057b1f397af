"""Run the ``realtime`` command as a user does: in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

REALTIME = Path(sys.executable).with_name("realtime")


def run_realtime(*arguments: str, cwd: Path, timeout: float = 100, **variables: str) -> Any:
    """Run the command to its end; no key reaches it but one given here."""
    return subprocess.run(
        [str(REALTIME), *arguments],
        cwd=cwd,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def environment(**variables: str) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("OPENAI_")}
    no_devices = {"PULSE_SERVER": "unix:/nowhere", "ALSA_CONFIG_PATH": str(Path(__file__).with_name("no_devices.conf"))}
    return {**clean, **no_devices, "COLUMNS": "100", **variables}
