"""Read the environment, and what stands in ``.env`` behind it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def environment() -> Mapping[str, str]:
    """Return the environment variables, with those of ``./.env`` behind them: the file never overrides."""
    from dotenv import dotenv_values

    from_file = {name: value for name, value in dotenv_values(Path(".env")).items() if value is not None}
    return {**from_file, **os.environ}
