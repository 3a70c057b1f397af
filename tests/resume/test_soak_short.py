"""The short form of the soak: an hour of one conversation, with rotations, drops and barge-ins."""

from benchmarks.soak import drawn, soak
from openai_realtime_api_utils import ManualClock
from openai_realtime_api_utils.host import fast_forward


def test_an_hour_of_conversation(caplog):
    """It goes on through every drop, and memory stays where it is once as many items are kept as may be."""
    caplog.set_level("ERROR")
    clock = ManualClock()
    curve = fast_forward.run(soak(1.1, clock), clock)
    assert 3 == len(curve)
    assert curve[-1][1] - curve[1][1] < 30
    assert [] == caplog.records
    assert "<polyline" in drawn(curve)
