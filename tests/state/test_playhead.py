"""How far speech was heard."""

from hypothesis import given
from hypothesis import strategies as st

from openai_realtime_api_utils.state.playhead import Playhead

steps = st.lists(
    st.one_of(
        st.tuples(st.just("receive"), st.integers(0, 50_000)),
        st.tuples(st.just("hear"), st.integers(0, 200_000)),
        st.tuples(st.just("tell"), st.text(alphabet="ab ", max_size=10)),
    ),
    max_size=20,
)


@given(steps, st.sampled_from([8_000, 24_000]), st.sampled_from([8_000, 24_000, 44_100, 48_000]))
def test_heard_never_exceeds_received_and_never_falls(script, rate, speaker_rate):
    """Whatever comes in whatever order; nor is a word heard that was not received."""
    head = Playhead(rate)
    for step, value in script:
        before = head
        head = head.hear(value, rate=speaker_rate) if step == "hear" else getattr(head, step)(value)
        assert before.heard <= head.heard <= head.received
        assert head.heard_ms <= head.received_ms
        assert head.transcript.startswith(head.heard_text)


@given(st.integers(0, 10_000_000))
def test_rates_do_not_lose_milliseconds(samples):
    """What a loudspeaker put out at 48 kHz is as long at 24 kHz."""
    head = Playhead(24_000).receive(samples // 2).hear(samples, rate=48_000)
    assert head.received == head.heard


def test_words_are_heard_in_proportion():
    """Half of the sound is half of the text, cut before the word that was not finished."""
    head = Playhead(24_000).tell("one two three four").receive(24_000)
    assert ["", "one two", "one two three four"] == [head.hear(n, rate=24_000).heard_text for n in (0, 12_000, 24_000)]
