"""Turn sound into words with ``pocketsphinx``, as it comes. Loaded in the listener's process only."""

from __future__ import annotations

import re
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
_SETTLED_S = 1.5
"""A word that ended this long ago is settled. Measured on 50 sentences: 5.2 % of the words wrong, as without settling;
at 0.8 s, 8.2 %, for the decoder's second pass still mends them."""
_SPEECH_DBFS = -50.0
"""An utterance whose loudest 20 ms are below this holds no speech; the decoder would hear words in the noise."""
_LEVEL_SAMPLES = RATE // 50
_LONGEST_SENTENCE_S = 60.0
"""No sentence of a grammar is longer; what comes after is not listened to, so that it fills no memory."""


class Word(NamedTuple):
    """Be a word and where it lies, in frames of 10 ms."""

    text: str
    start: int
    end: int


class Utterance:
    """Be one utterance on its way through a decoder of general English, at ``engine.RATE``.

    What ``hear`` has returned is the beginning of what ``finish`` returns.
    """

    def __init__(self, decoder: Any) -> None:
        """Begin with a decoder that is idle; ``finish`` or ``drop`` makes it so again."""
        self.decoder = decoder
        self._sound = _Sound()
        self._settled: list[Word] = []
        decoder.start_utt()

    def hear(self, samples: Samples) -> str:
        """Take more sound; return the words that are certain since the last time."""
        _decode(self.decoder, self._sound.take(samples))
        if not self._sound.is_speech:
            return ""
        until = (self._sound.length_s - _SETTLED_S) * _FRAMES_PER_S
        new = [word for word in self._unsettled() if word.end <= until]
        text = _text(new)
        if text and self._settled:
            text = f" {text}"
        self._settled += new
        return text

    def finish(self) -> str:
        """Return the whole transcript."""
        _decode(self.decoder, self._sound.finish())
        self.decoder.end_utt()
        return _text([*self._settled, *self._unsettled()]) if self._sound.is_speech else ""

    def drop(self) -> None:
        """Forget the utterance."""
        self.decoder.end_utt()

    def _unsettled(self) -> list[Word]:
        """Return the words of the best path behind the settled ones."""
        words = self._best_path()
        count = len(self._settled)
        if [word.text for word in words[:count]] == [word.text for word in self._settled]:
            return words[count:]
        behind = self._settled[-1].end  # the path has changed after all: go by time, and keep what was said
        return [word for word in words if word.start + word.end > 2 * behind]

    def _best_path(self) -> list[Word]:
        if self.decoder.hyp() is None:
            return []
        return [
            Word(segment.word.partition("(")[0], segment.start_frame, segment.end_frame)  # "the(2)" is pronounced so
            for segment in self.decoder.seg()
            if segment.word[0] not in "<[+"
        ]


class Sentence:
    """Be one utterance that has to be a sentence of the decoder's grammar.

    It is decoded as a whole when it is over (0.02 s per second of it): only then is its mean level known, without
    which one sentence in ten goes wrong.
    """

    def __init__(self, decoder: Any) -> None:
        """Begin with a decoder that is idle when the utterance is over."""
        self.decoder = decoder
        self._sound = _Sound()
        self._pieces: list[Samples] = []

    def hear(self, samples: Samples) -> str:
        """Take more sound, up to a minute; nothing is certain before the end."""
        if self._sound.length_s < _LONGEST_SENTENCE_S:
            self._pieces.append(self._sound.take(samples))
        return ""

    def finish(self) -> str:
        """Return the sentence; "" if it is none of the grammar's."""
        if not self._sound.is_speech:
            return ""
        self.decoder.start_utt()
        _decode(self.decoder, np.concatenate((*self._pieces, self._sound.finish())), is_whole=True)
        self.decoder.end_utt()
        best = self.decoder.hyp()
        return "" if best is None else best.hypstr

    def drop(self) -> None:
        """Forget the utterance."""


class _Sound:
    """Bring sound to the decoder's rate, and know whether there is speech in it."""

    def __init__(self) -> None:
        self._resampler = Resampler(RATE, _DECODER_RATE)
        self._taken = 0
        self.is_speech = False

    @property
    def length_s(self) -> float:
        return self._taken / RATE

    def take(self, samples: Samples) -> Samples:
        self._taken += len(samples)
        blocks = range(0, len(samples), _LEVEL_SAMPLES)
        self.is_speech |= any(rms_dbfs(samples[at : at + _LEVEL_SAMPLES]) >= _SPEECH_DBFS for at in blocks)
        return self._resampler.process(samples)

    def finish(self) -> Samples:
        return self._resampler.finish()


def _decode(decoder: Any, samples: Samples, *, is_whole: bool = False) -> None:
    if len(samples):
        decoder.process_raw(samples.tobytes(), False, is_whole)


def make_decoder(grammar: str = "") -> Any:
    """Make a decoder for 16 kHz: of a JSGF grammar, else of general English.

    Raises:
        SimulatorError: the grammar cannot be read, or uses a word that the dictionary does not know.
    """
    pocketsphinx = require("pocketsphinx", extra="local", needed_by="The local listener")
    if not grammar:
        return pocketsphinx.Decoder(samprate=_DECODER_RATE, loglevel="FATAL")
    decoder = pocketsphinx.Decoder(
        samprate=_DECODER_RATE,
        loglevel="FATAL",
        lm=None,
        cmn="batch",
        bestpath=False,  # it would return the beginning of a sentence where no whole one fits
    )
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
