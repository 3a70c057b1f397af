"""G.711, against the standard library where it still has it."""

import sys
import warnings

import numpy as np
import pytest

from openai_realtime_api_utils.audio import g711

EVERY_SAMPLE = np.arange(-32_768, 32_768).astype(np.int16)
EVERY_BYTE = bytes(range(256))
LAWS = ["audio/pcmu", "audio/pcma"]

if sys.version_info < (3, 13):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import audioop
    STANDARD = {
        "audio/pcmu": (audioop.lin2ulaw, audioop.ulaw2lin),
        "audio/pcma": (audioop.lin2alaw, audioop.alaw2lin),
    }

needs_audioop = pytest.mark.skipif(sys.version_info >= (3, 13), reason="audioop left the standard library in 3.13")


@needs_audioop
@pytest.mark.parametrize("law", LAWS)
def test_every_sample_is_encoded_as_audioop_does(law):
    """All 65,536 samples give audioop's byte."""
    expected = STANDARD[law][0](EVERY_SAMPLE.tobytes(), 2)
    assert expected == g711.encode(EVERY_SAMPLE, law)


@needs_audioop
@pytest.mark.parametrize("law", LAWS)
def test_every_byte_is_decoded_as_audioop_does(law):
    """All 256 bytes give audioop's sample."""
    expected = STANDARD[law][1](EVERY_BYTE, 2)
    assert expected == g711.decode(EVERY_BYTE, law).tobytes()


@pytest.mark.parametrize("law", LAWS)
def test_what_was_decoded_once_stays_the_same(law):
    """decode, encode, decode is decode."""
    once = g711.decode(EVERY_BYTE, law)
    assert once.tolist() == g711.decode(g711.encode(once, law), law).tolist()


@pytest.mark.parametrize("law", LAWS)
def test_error_grows_with_level_only(law):
    """Logarithmic coding errs by a small part of the sample, and a small step near zero."""
    error = np.abs(g711.decode(g711.encode(EVERY_SAMPLE, law), law).astype(int) - EVERY_SAMPLE)
    assert np.all(error <= np.abs(EVERY_SAMPLE.astype(int)) / 24 + 8)


@pytest.mark.parametrize(("law", "known"), [("audio/pcmu", 0xFF), ("audio/pcma", 0xD5)])
def test_silence_is_the_known_byte(law, known):
    """Zero is 0xFF in mu-law and 0xD5 in A-law."""
    assert bytes([known]) == g711.encode(np.zeros(1, np.int16), law)
