"""Turn sound into words with ``pocketsphinx``, as it comes. Loaded in the listener's process only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...audio.level import rms_dbfs
from ...audio.resample import Resampler
from ...errors import SimulatorError, require
from ..engine import RATE

if TYPE_CHECKING:
    from ...ports import Samples

_DECODER_RATE = 16_000
_FRAMES_PER_S = 100
_SETTLED_S = 1.0
"""A word that ended this long ago is no longer revised: the decoder's best paths have met by then."""
_SPEECH_DBFS = -50.0
"""An utterance whose loudest 20 ms are below this holds no speech; the decoder would hear words in the noise."""
_LEVEL_SAMPLES = RATE // 50


class Word(NamedTuple):
    """Be a word and where it lies, in frames of 10 ms."""

    text: str
    start: int
    end: int


class Utterance:
    """Be one utterance on its way through a decoder, at ``engine.RATE``.

    What ``hear`` has returned is the beginning of what ``finish`` returns.
    """

    def __init__(self, decoder: Any, *, revises: bool) -> None:
        """Begin.

        Args:
            decoder: a decoder that is idle; ``finish`` or ``drop`` makes it so again.
            revises: only the end counts, because the whole must fit a grammar: ``hear`` returns nothing.
        """
        self.decoder = decoder
        self._revises = revises
        self._resampler = Resampler(RATE, _DECODER_RATE)
        self._taken = 0
        self._loudest = -np.inf
        self._settled: list[Word] = []
        decoder.start_utt()

    def hear(self, samples: Samples) -> str:
        """Take more sound; return the words that are certain since the last time."""
        blocks = range(0, len(samples), _LEVEL_SAMPLES)
        self._loudest = max(self._loudest, *(rms_dbfs(samples[at : at + _LEVEL_SAMPLES]) for at in blocks), -np.inf)
        self._decode(self._resampler.process(samples))
        if self._revises or self._loudest < _SPEECH_DBFS:
            return ""
        until = self._taken * _FRAMES_PER_S / _DECODER_RATE - _SETTLED_S * _FRAMES_PER_S
        new = [word for word in self._unsettled() if word.end <= until]
        text = _text(new)
        if text and self._settled:
            text = f" {text}"
        self._settled += new
        return text

    def finish(self) -> str:
        """Return the whole transcript."""
        self._decode(self._resampler.finish())
        self.decoder.end_utt()
        return _text([*self._settled, *self._unsettled()]) if self._loudest >= _SPEECH_DBFS else ""

    def drop(self) -> None:
        """Forget the utterance."""
        self.decoder.end_utt()

    def _decode(self, samples: Samples) -> None:
        self._taken += len(samples)
        if len(samples):
            self.decoder.process_raw(samples.tobytes(), False, False)

    def _unsettled(self) -> Iterator[Word]:
        """Iterate over the words of the best path whose middle lies behind the last settled one."""
        behind = self._settled[-1].end if self._settled else -1
        if self.decoder.hyp() is None:
            return
        for segment in self.decoder.seg():
            if segment.word[0] not in "<[+" and segment.start_frame + segment.end_frame > 2 * behind:
                # an alternative pronunciation is written "the(2)"
                yield Word(segment.word.partition("(")[0], segment.start_frame, segment.end_frame)


def make_decoder(grammar: str = "") -> Any:
    """Make a decoder for 16 kHz: of a JSGF grammar, else of general English.

    Raises:
        SimulatorError: the grammar cannot be read, or uses a word that the dictionary does not know.
    """
    pocketsphinx = require("pocketsphinx", extra="local", needed_by="The local listener")
    if not grammar:
        return pocketsphinx.Decoder(samprate=_DECODER_RATE, loglevel="FATAL")
    decoder = pocketsphinx.Decoder(samprate=_DECODER_RATE, loglevel="FATAL", lm=None)
    unknown = sorted(word for word in _words_of(grammar) if decoder.lookup_word(word) is None)
    if unknown:
        raise SimulatorError(
            f"The dictionary of the local listener does not know {', '.join(map(repr, unknown))}: "
            "leave such sentences out of the grammar, or say them in other words."
        )
    try:
        decoder.add_jsgf_string("grammar", grammar)
    except (RuntimeError, ValueError) as cause:
        raise SimulatorError(f"The JSGF grammar {grammar[:80]!r} cannot be read: check its syntax.") from cause
    decoder.activate_search("grammar")
    return decoder


def _words_of(grammar: str) -> set[str]:
    """Return the words of a JSGF grammar: what is left without header, comments, names, tags and weights."""
    body = re.sub(r"#JSGF[^;]*;|\b(grammar|import)\b[^;]*;|//[^\n]*|/\*.*?\*/|<[^>]*>|\{[^}]*\}|/[\d.]+/", " ", grammar)
    return set(re.findall(r"[a-z][a-z'.-]*", re.sub(r"\bpublic\s*(?==|\s)", " ", body)))


def _text(words: list[Word]) -> str:
    return " ".join(word.text for word in words)
