"""Say what a measured figure is, and how ratios are taken on a noisy machine."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """Be one line of the table; lower is better, unless it says otherwise."""

    name: str
    value: float
    unit: str
    target: float
    how: str
    more_is_better: bool = False

    @property
    def ok(self) -> bool:
        return self.value >= self.target if self.more_is_better else self.value <= self.target


def seconds_of(work: Callable[[], object]) -> float:
    """Return the CPU time that one run of ``work`` takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def median_ratio(work: Callable[[], object], peer: Callable[[], object], rounds: int = 9) -> float:
    """Return the median over rounds of work's CPU time by peer's; each round runs both, so noise hits both."""
    work(), peer()
    return statistics.median(seconds_of(work) / seconds_of(peer) for _ in range(rounds))
