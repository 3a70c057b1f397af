"""Be ``realtime devices``: the microphones and loudspeakers of this machine."""

from __future__ import annotations

import json
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from ..host.devices import Device
from ..host.devices_apart import list_devices


def show_devices(*, as_json: bool) -> None:
    """Print them.

    Raises:
        RealtimeUtilsError: they cannot be listed; says what is missing.
    """
    found = list_devices()
    if as_json:
        print(json.dumps([asdict(device) for device in found], indent=1))
    elif not found:
        print("There are no sound devices: connect one, or start the sound server.")
    else:
        Console(highlight=False).print(_table(found))


def _table(found: tuple[Device, ...]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("number", "name", "microphone", "loudspeaker", "rate", "host"):
        table.add_column(title, justify="right" if title in ("number", "rate") else "left")
    for device in found:
        table.add_row(
            str(device.index),
            device.name,
            _use(device.inputs, is_default=device.is_default_input),
            _use(device.outputs, is_default=device.is_default_output),
            f"{device.rate} Hz",
            device.host_api,
        )
    return table


def _use(channels: int, *, is_default: bool) -> str:
    if not channels:
        return ""
    return f"{channels} channel{'s' if channels > 1 else ''}{', default' if is_default else ''}"
