"""However requests, turns, tools, cancels and failures interleave, the conversation has one response at a time."""

import os
import sys
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.interleaving import ACTIONS, counts, play, violations

EXAMPLES = int(os.environ.get("INTERLEAVINGS", "60"))
"""``INTERLEAVINGS=10000`` runs the long form."""

STEPS = st.tuples(st.floats(0, 0.8), st.sampled_from(ACTIONS))
LATENCY = st.floats(0, 0.3)


@pytest.mark.timeout(max(120, EXAMPLES // 10))
def test_one_response_at_a_time(capsys):
    """No user sees a refusal, no request is lost or answered twice, and at the end there is rest."""
    tally = Counter()

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        script=st.lists(STEPS, min_size=1, max_size=14),
        latency_s=st.tuples(LATENCY, LATENCY),
        interrupts=st.booleans(),
        seed=st.integers(0, 1 << 16),
    )
    def hold(script, latency_s, interrupts, seed):
        outcome = play(script, latency_s=latency_s, interrupts=interrupts, seed=seed)
        assert violations(outcome) == {}
        tally.update(counts(outcome))

    hold()
    with capsys.disabled():
        sys.stdout.write("".join(f"\n  {count} {what}" for what, count in tally.items()) + "\n")


def test_some_requests_really_cross():
    """A request that meets a turn of the server's own on the wire is made up for."""
    crossed = [
        play([(1.0, "speak"), (pause, "create")], latency_s=(0.3, 0.3), interrupts=True, seed=0)
        for pause in (0.4, 0.5, 0.6)
    ]
    assert sum(outcome.crossed for outcome in crossed) > 0
    assert [violations(outcome) for outcome in crossed] == [{}, {}, {}]
