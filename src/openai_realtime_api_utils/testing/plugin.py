"""Give pytest the fixtures ``realtime`` and ``realtime_server``. Nothing is loaded until a test asks for one."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .bench import Realtime
    from .server import RealtimeServer

_MARKER = (
    "realtime(*, delay_ms, gain, noise, settings, faults): set up the fixtures `realtime` and `realtime_server`: how "
    "late and how loud the room's microphone hears its loudspeaker, how loud its noise is, how the simulated service "
    "behaves, and what goes wrong on purpose"
)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture
def realtime(request: pytest.FixtureRequest) -> Generator[Realtime]:
    """Test a voice application with a scripted service, a room to talk in, and a clock that jumps."""
    _require_extra("realtime")
    from .bench import Realtime

    bench = Realtime(**_options(request))
    yield bench
    bench.close()


@pytest.fixture
def realtime_server(request: pytest.FixtureRequest) -> Generator[RealtimeServer]:
    """Serve a scripted service on a free port of this machine, in real time."""
    _require_extra("realtime_server")
    from .server import serving

    with serving(**{k: v for k, v in _options(request).items() if k in ("settings", "faults")}) as server:
        yield server


def _require_extra(fixture: str) -> None:
    from ..errors import require

    for module in ("numpy", "samplerate", "webrtcvad"):
        require(module, extra="local", needed_by=f"The fixture {fixture}")


def _options(request: pytest.FixtureRequest) -> dict[str, Any]:
    marker = request.node.get_closest_marker("realtime")
    if marker is None:
        return {}
    known = ("delay_ms", "gain", "noise", "settings", "faults")
    unknown = [*marker.args, *(name for name in marker.kwargs if name not in known)]
    if unknown:
        pytest.fail(f"The marker 'realtime' does not know {unknown[0]!r}: use {', '.join(known)} by name.", False)
    return marker.kwargs
