"""Decide which of the user's sound outlives a lost connection.

Sound that is late is dangerous: a session that answers by itself takes it for something said just now, and answers
what nobody asked (measured by others). So what is kept reaches such a session only while the user still talks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeAlias

import pybase64

from ..audio.formats import PCM_24K, AudioFormat

_LONGEST_S = 60.0
"""How much of one utterance is kept at most; the oldest is dropped."""

_BEFORE_S = 1.0
"""How much is kept from before the server says that the user speaks: it says so late, and wants the beginning."""

_SILENCE_S = 0.7
_SILENCE_DBFS = -45.0
"""The user is taken to have finished after so much sound that is no louder than this."""


class KeepLast(NamedTuple):
    """Keep the last seconds of what the user said while there was no connection."""

    seconds: float


MicrophonePolicy: TypeAlias = Literal["drop", "until_speech_end"] | KeepLast
"""What becomes of sound while there is no connection.

``"drop"`` it; ``keep_last(seconds)`` of it; or keep what the user was saying when the connection was lost, from its
beginning ``"until_speech_end"``.
"""


_NAMED = ("drop", "until_speech_end")


def keep_last(seconds: float) -> KeepLast:
    """Keep the last ``seconds`` of what the user said while there was no connection.

    Raises:
        ValueError: ``seconds`` is not above 0.
    """
    if not seconds > 0:
        raise ValueError(f"keep_last({seconds}) keeps nothing: give more than 0 seconds, or the policy 'drop'.")
    return KeepLast(seconds)


def checked_policy(policy: MicrophonePolicy) -> MicrophonePolicy:
    """Return the policy.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(policy, KeepLast) and policy not in _NAMED:
        raise ValueError(
            f"{policy!r} is no policy for the microphone: give 'drop', 'until_speech_end' or keep_last(2.0)."
        )
    return policy


class _Sound:
    """Be a queue of pieces of sound as bytes, bounded in seconds; the oldest leave."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._pieces: deque[bytes] = deque()
        self._size = 0

    def __bool__(self) -> bool:
        return bool(self._pieces)

    def add(self, data: bytes, audio_format: AudioFormat) -> None:
        self._pieces.append(data)
        self._size += len(data)
        limit = self.seconds * audio_format.rate * audio_format.bytes_per_sample
        while self._size > limit:
            self._size -= len(self._pieces.popleft())

    def latest(self, size: float) -> bytes:
        found: list[bytes] = []
        for piece in reversed(self._pieces):
            found.append(piece)
            size -= len(piece)
            if size <= 0:
                break
        return b"".join(reversed(found))

    def clear(self) -> None:
        self._pieces.clear()
        self._size = 0

    def take(self) -> bytes:
        data = b"".join(self._pieces)
        self.clear()
        return data


class UserAudio:
    """Keep the sound of the user's turn that is under way, and of the last ones that have no transcript yet."""

    def __init__(self) -> None:
        self.format = PCM_24K
        self.is_speaking = False
        """Whether the server says that the user speaks."""
        self.is_pending = False
        """Whether sound was sent since the last commit or clear."""
        self.untranscribed: dict[str, str] = {}
        """The sound, base64, of turns that wait for their transcript; of the last two at most."""
        self._is_turn = False  # from the beginning of speech to its commit, which comes later than its end
        self._sound = _Sound(_BEFORE_S)

    @property
    def is_silent(self) -> bool:
        """Whether the last that was sent is no louder than a quiet room."""
        from ..audio.level import rms_dbfs
        from ..audio.pcm import decode

        latest = self._sound.latest(_SILENCE_S * self.format.rate * self.format.bytes_per_sample)
        return rms_dbfs(decode(latest, self.format)) < _SILENCE_DBFS

    def append(self, audio: str, *, detects_turns: bool) -> None:
        """Take a piece that was sent."""
        self._sound.seconds = _LONGEST_S if self._is_turn or not detects_turns else _BEFORE_S
        self._sound.add(pybase64.b64decode(audio), self.format)
        self.is_pending = True

    def started(self) -> None:
        """Take ``speech_started``."""
        self.is_speaking = self._is_turn = True

    def stopped(self) -> None:
        """Take ``speech_stopped``."""
        self.is_speaking = False

    def committed(self, item_id: str) -> None:
        """Take ``committed``: the turn is an item now."""
        self.is_speaking = self.is_pending = self._is_turn = False
        sound = self._sound.take()
        if sound:
            self.untranscribed[item_id] = pybase64.b64encode_as_string(sound)
            if len(self.untranscribed) > 2:
                del self.untranscribed[next(iter(self.untranscribed))]

    def cleared(self) -> None:
        """Take ``cleared``."""
        self.is_pending = self._is_turn = False
        self._sound.clear()

    def transcribed(self, item_id: str) -> None:
        """Take the end of a transcription: the words stand for the sound from now on."""
        self.untranscribed.pop(item_id, None)

    def take_unfinished(self) -> bytes:
        """Return the sound of the turn that was under way, as the connection is lost."""
        self.is_speaking = self.is_pending = self._is_turn = False
        return self._sound.take()


class MicrophoneGap:
    """Hold the sound of one gap."""

    def __init__(
        self, policy: MicrophonePolicy, unfinished: bytes, *, is_speaking: bool, audio_format: AudioFormat
    ) -> None:
        """Begin the gap.

        Args:
            policy: what to keep.
            unfinished: the sound of the turn that was under way.
            is_speaking: whether the user was speaking.
            audio_format: how the session takes sound.
        """
        self._format = audio_format
        self._is_over = policy == "drop" or (policy == "until_speech_end" and not is_speaking)
        self.is_speech_over = not is_speaking
        """Whether the user has fallen silent since."""
        self._sound = _Sound(policy.seconds if isinstance(policy, KeepLast) else _LONGEST_S)
        self._silence_s = 0.0
        self._waits_for_end = policy == "until_speech_end"
        if self._waits_for_end and is_speaking:
            self._sound.add(unfinished, audio_format)
        self.lost = 0
        """How many samples were dropped for good."""

    def append(self, audio: str) -> None:
        """Take a piece that could not be sent."""
        data = pybase64.b64decode(audio)
        if self._is_over:
            self.lost += self._format.samples_in(len(data))
            return
        self._sound.add(data, self._format)
        if self._waits_for_end:
            self._listen(data)

    def commit(self) -> bool:
        """Take the end of a turn by a key; return whether anything of the turn was kept."""
        self._is_over = self.is_speech_over = True
        return bool(self._sound)

    def clear(self) -> None:
        """Take that the turn is thrown away."""
        self._sound.clear()

    def take(self, *, answers_by_itself: bool) -> bytes:
        """Return what the new session is to hear.

        Args:
            answers_by_itself: whether the session takes turns by itself; it hears only what goes on now.
        """
        is_stale = self.is_speech_over or not self._waits_for_end
        data = self._sound.take()
        if answers_by_itself and is_stale:
            self.lost += self._format.samples_in(len(data))
            return b""
        return data

    def _listen(self, data: bytes) -> None:
        from ..audio.level import rms_dbfs
        from ..audio.pcm import decode

        is_quiet = rms_dbfs(decode(data, self._format)) < _SILENCE_DBFS
        self._silence_s = self._silence_s + self._format.samples_in(len(data)) / self._format.rate if is_quiet else 0.0
        if self._silence_s >= _SILENCE_S:
            self._is_over = self.is_speech_over = True


def pieces(data: bytes, audio_format: AudioFormat) -> Iterable[str]:
    """Cut sound into appends of a second each, base64."""
    step = audio_format.rate * audio_format.bytes_per_sample
    for start in range(0, len(data), step):
        yield pybase64.b64encode_as_string(data[start : start + step])
