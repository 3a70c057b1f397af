"""Choose where a WebRTC connection listens. Left alone, ``aiortc`` takes every address of the machine but loopback."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeAlias

from aiortc import RTCPeerConnection

_Gather: TypeAlias = Callable[..., Coroutine[Any, Any, Any]]


def listen_at(peer: RTCPeerConnection, addresses: Sequence[str]) -> None:
    """Have a connection whose offer was taken, and not yet answered, listen at these addresses alone."""
    beneath: list[Any] = [*peer.getTransceivers(), *([peer.sctp] if peer.sctp is not None else [])]
    for each in beneath:
        carrier: Any = each if each is peer.sctp else each.receiver
        ice: Any = carrier.transport.transport.iceGatherer._connection  # noqa: SLF001  (it cannot be told otherwise)
        ice.get_component_candidates = _at(addresses, ice.get_component_candidates)


def _at(addresses: Sequence[str], gather: _Gather) -> _Gather:
    async def gather_there(component: int, **_: object) -> Any:
        return await gather(component=component, addresses=list(addresses))

    return gather_there
