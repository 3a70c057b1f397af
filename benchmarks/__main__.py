"""Run the benchmarks: print one table, write results.json beside this file.

python -m benchmarks [group]
"""

import json
import platform
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from benchmarks import echo, host, resume, sim, speed, tools
from benchmarks.figure import Figure

GROUPS: dict[str, Callable[[], Iterable[Figure]]] = {
    "echo": echo.measure,
    "host": host.measure,
    "resume": resume.measure,
    "sim": sim.measure,
    "speed": speed.measure,
    "tools": tools.measure,
}
RESULTS = Path(__file__).with_name("results.json")


def main(only: str | None) -> int:
    """Measure one group or all; return 1 if a target was missed."""
    if only is not None and only not in GROUPS:
        print(f"There is no benchmark group {only!r}: choose one of {', '.join(GROUPS)}.", file=sys.stderr)
        return 2
    versions = " ".join(f"{name} {version(name)}" for name in ("openai", "pydantic", "pybase64"))
    print(f"Python {platform.python_version()} on {platform.machine()}, {versions}\n")
    print(f"{'figure':34}{'value':>10} {'unit':16}{'target':>8}")
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() and only is not None else {}
    figures = []
    for group in [only] if only else GROUPS:
        for figure in GROUPS[group]():
            figures.append(figure)
            told = {k: v for k, v in asdict(figure).items() if k not in ("name", "more_is_better")}
            results[figure.name] = {**told, "ok": figure.ok, "how": f"{figure.how}; {versions}"}
            mark = "" if figure.ok else "  missed"
            print(f"{figure.name:34}{figure.value:10.3g} {figure.unit:16}{figure.target:>8g}{mark}", flush=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    print(f"\nwritten to {RESULTS.relative_to(Path.cwd()) if RESULTS.is_relative_to(Path.cwd()) else RESULTS}")
    return 0 if all(figure.ok for figure in figures) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1] if len(sys.argv) > 1 else None))
