"""Make .venv and install this project into it from a lock file; needs nothing but Python's standard library.

    python3 tools/make_environment.py locks/talk.txt
    python3 tools/make_environment.py tools/foreign/openai_agents.txt .venv/foreign/openai_agents

The second form makes another environment, of what the lock file lists and no more: this project is not in it.

With ``uv`` on the PATH, uv does it. Without, pip does; and where Python comes without pip and without ensurepip
(Debian's does), the pip wheel is fetched from the index that pip is configured to use, and its hash is checked.
"""

from __future__ import annotations

import configparser
import hashlib
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OWN = ROOT / ".venv"
OLDEST = (3, 11)
DEFAULT_INDEX = "https://pypi.org/simple"


def main(lock: str, folder: str = "") -> None:
    """Make the environment, or say in one sentence why it cannot be made."""
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:3]))
        raise SystemExit(f"Python 3.11 or newer is needed, but this is {found}: call  make PYTHON=/path/to/python3.11")
    environment = ROOT / folder if folder else OWN
    uv = shutil.which("uv")
    if not (uv and with_uv(uv, lock, environment)):
        with_pip(lock, environment)


def python_of(environment: Path) -> Path:
    """Return the Python of an environment, whether it is there or not."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def with_uv(uv: str, lock: str, environment: Path) -> bool:
    """Install with uv; False if it could not, for it does not read pip's configuration."""
    python = python_of(environment)
    tell(f"making {environment.name} with uv")
    if not python.exists() and run([uv, "venv", "--quiet", "--python", sys.executable, str(environment)]) != 0:
        return False
    install = [uv, "pip", "install", "--quiet", "--python", str(python)]
    tell(f"installing what {lock} lists")
    done = all(run([*install, *arguments]) == 0 for arguments in what(lock, environment))
    if not done:
        tell("uv could not; trying pip")
    return done


def with_pip(lock: str, environment: Path) -> None:
    """Install with pip, bootstrapped into the new environment."""
    python = python_of(environment)
    if not python.exists():
        tell(f"making {environment.name} with Python {sys.version.split()[0]}")
        venv.EnvBuilder(with_pip=False, symlinks=os.name != "nt").create(environment)
    if run([str(python), "-c", "import pip"], quiet=True) != 0:
        bootstrap_pip(python)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    tell(f"installing what {lock} lists (a minute or two the first time)")
    for arguments in what(lock, environment):
        if run([*pip, *arguments]) != 0:
            raise SystemExit("The packages could not be installed; pip says why above.")


def what(lock: str, environment: Path) -> list[list[str]]:
    """Return what is installed, step by step: what the lock lists and, in our own environment, this project.

    The project is editable, with the build tools of the lock. In another environment the lock alone decides, whatever
    its packages ask for, so that one can do without what is too large.
    """
    locked = ["--require-hashes", "-r", lock]
    if environment == OWN:
        return [locked, ["--no-deps", "--no-build-isolation", "-e", str(ROOT)]]
    return [["--no-deps", "--no-compile", *locked]]


def bootstrap_pip(python: Path) -> None:
    """Put pip into an environment that has none."""
    tried = []
    for index in indexes():
        tell("fetching pip from the package index")
        try:
            with tempfile.TemporaryDirectory() as folder:
                wheel = download_pip(index, Path(folder))
                if run([str(python), f"{wheel}/pip", "install", "--quiet", "--no-index", str(wheel)]) == 0:
                    return
        except (OSError, ValueError) as error:
            tried.append(f"{index}: {error}")
    if run([str(python), "-m", "ensurepip", "--default-pip"], quiet=True) != 0:
        raise SystemExit(f"pip could not be fetched ({'; '.join(tried)}): install python3-venv, or uv, and try again.")


def indexes() -> list[str]:
    """Return the package indexes that pip would use: its environment variables, then its files, then PyPI."""
    named = [os.environ.get("PIP_INDEX_URL", ""), *os.environ.get("PIP_EXTRA_INDEX_URL", "").split()]
    config = configparser.RawConfigParser(strict=False)
    files = [os.environ.get("PIP_CONFIG_FILE", ""), "~/.config/pip/pip.conf", "~/.pip/pip.conf", "/etc/pip.conf"]
    config.read([Path(file).expanduser() for file in files if file], encoding="utf-8")
    for section in ("install", "global"):
        for option in ("index-url", "extra-index-url"):
            named += config.get(section, option, fallback="").split()
    web = [url.rstrip("/") for url in named if url.startswith(("http://", "https://"))]
    return list(dict.fromkeys([*web, DEFAULT_INDEX]))


def download_pip(index: str, folder: Path) -> Path:
    """Download the newest pip wheel of an index (PEP 503) and check its hash."""
    certificates = os.environ.get("PIP_CERT") or os.environ.get("SSL_CERT_FILE")
    context = ssl.create_default_context(cafile=certificates)
    page_url = f"{index}/pip/"
    with urllib.request.urlopen(page_url, context=context, timeout=60) as answer:
        page = answer.read().decode()
    found = re.findall(r'href="([^"]*/pip-([\d.]+)-py3-none-any\.whl[^"]*)"', page)
    if not found:
        raise ValueError("it lists no pip wheel")
    link, version = max(found, key=lambda pair: [int(part) for part in pair[1].split(".")])
    url, _, fragment = urllib.parse.urljoin(page_url, link.replace("&amp;", "&")).partition("#")
    with urllib.request.urlopen(url, context=context, timeout=180) as answer:
        content = answer.read()
    algorithm, _, expected = fragment.partition("=")
    if algorithm and hashlib.new(algorithm, content).hexdigest() != expected:
        raise ValueError(f"the {algorithm} of pip {version} is not the one that the index states")
    wheel = folder / f"pip-{version}-py3-none-any.whl"
    wheel.write_bytes(content)
    return wheel


def run(command: list[str], *, quiet: bool = False) -> int:
    """Run a command in the project's folder and return its exit code."""
    output = subprocess.DEVNULL if quiet else None
    return subprocess.run(command, cwd=ROOT, check=False, stdout=output, stderr=output).returncode


def tell(what: str) -> None:
    """Show what goes on."""
    print(f"environment: {what}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
