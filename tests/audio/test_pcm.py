"""Samples to bytes and back."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_np

from openai_realtime_api_utils.audio import pcm
from openai_realtime_api_utils.audio.formats import PCM_24K, PCMA, PCMU
from openai_realtime_api_utils.errors import FormatError

sounds = st_np.arrays(np.int16, st.integers(0, 300))


@given(sounds)
def test_pcm_goes_there_and_back(sound):
    """16-bit sound survives the wire exactly."""
    assert sound.tolist() == pcm.decode(pcm.encode(sound, PCM_24K), PCM_24K).tolist()


def test_pcm_is_little_endian():
    """The low byte comes first (API reference)."""
    assert b"\x01\x02" == pcm.encode(np.array([0x0201], np.int16), PCM_24K)


@pytest.mark.parametrize("audio_format", [PCM_24K, PCMU, PCMA])
@given(data=st.binary(max_size=200), cuts=st.lists(st.integers(0, 200)))
def test_pieces_do_not_matter(audio_format, data, cuts):
    """A stream cut anywhere, through samples too, decodes as the whole."""
    decoder = pcm.Decoder(audio_format)
    edges = sorted({0, len(data), *(min(c, len(data)) for c in cuts)})
    pieces = [decoder.feed(data[a:b]) for a, b in pairwise(edges)]
    whole = data[: len(data) - len(data) % audio_format.bytes_per_sample]
    assert pcm.decode(whole, audio_format).tolist() == [s for piece in pieces for s in piece.tolist()]


def test_half_a_sample_is_told():
    """An odd number of bytes is no PCM."""
    with pytest.raises(FormatError, match="3 bytes of audio/pcm end in half a sample"):
        pcm.decode(b"abc", PCM_24K)


@given(sounds)
def test_float_is_exact(sound):
    """16-bit sound survives the float scale."""
    assert sound.tolist() == pcm.to_int16(pcm.to_float(sound)).tolist()


def test_loud_is_clipped_and_never_wraps():
    """What is beyond full scale stays there."""
    assert [32_767, -32_768, 32_767] == pcm.to_int16(np.array([1.5, -7.0, 1.0])).tolist()
