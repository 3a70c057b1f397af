"""WAV files: read, written, and used as devices."""

import struct
import wave

import numpy as np
import pytest

from openai_realtime_api_utils.clock import ManualClock
from openai_realtime_api_utils.errors import AudioError, FormatError
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.host.wav import WavMicrophone, WavSpeaker
from openai_realtime_api_utils.host.wav_reader import WavReader, read_wav
from openai_realtime_api_utils.host.wav_writer import WavWriter
from openai_realtime_api_utils.ports import SpeechId

PCM, FLOAT = 1, 3


def riff(fmt, data, *, data_size=None, extra=b""):
    size = len(data) if data_size is None else data_size
    chunks = struct.pack("<4sI", b"fmt ", len(fmt)) + fmt + extra + struct.pack("<4sI", b"data", size) + data
    return struct.pack("<4sI4s", b"RIFF", 4 + len(chunks), b"WAVE") + chunks


def fmt(kind, channels, rate, bits):
    align = channels * bits // 8
    return struct.pack("<HHIIHH", kind, channels, rate, rate * align, align, bits)


def extensible(kind, channels, rate, bits):
    guid = struct.pack("<H", kind) + bytes.fromhex("000000001000800000aa00389b71")
    return fmt(0xFFFE, channels, rate, bits) + struct.pack("<HHI", 22, bits, 0) + guid


def packed(values, kind, bits):
    """Write numbers from -1 to 1 as a WAV's bytes."""
    values = np.asarray(values, float)
    if kind == FLOAT:
        return values.astype(f"<f{bits // 8}").tobytes()
    if bits == 8:
        return (values * 128 + 128).astype(np.uint8).tobytes()
    if bits == 24:
        return b"".join(int(v * 2**23).to_bytes(3, "little", signed=True) for v in values)
    return (values * 2 ** (bits - 1)).astype(f"<i{bits // 8}").tobytes()


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "a.wav"
        path.write_bytes(content)
        return path

    return write


EIGHTHS = np.arange(-8, 8) / 8
KINDS = [(PCM, 8), (PCM, 16), (PCM, 24), (PCM, 32), (FLOAT, 32), (FLOAT, 64)]


@pytest.mark.parametrize("layout", [fmt, extensible])
@pytest.mark.parametrize(("kind", "bits"), KINDS)
def test_every_kind_of_sample_is_read_alike(file, kind, bits, layout):
    """8 to 32-bit integers and floats, plain or extensible, hold the same sound."""
    path = file(riff(layout(kind, 1, 24_000, bits), packed(EIGHTHS, kind, bits)))
    assert (EIGHTHS * 32_768).tolist() == read_wav(path).tolist()


@pytest.mark.parametrize(("kind", "bits"), KINDS)
def test_stereo_is_mixed(file, kind, bits):
    """Two channels become their mean."""
    values = [0.5, 0.25, -1.0, 0.5]
    path = file(riff(fmt(kind, 2, 24_000, bits), packed(values, kind, bits)))
    assert [0.375 * 32_768, -0.25 * 32_768] == read_wav(path).tolist()


def test_loud_floats_are_clipped(file):
    """A float WAV may go beyond full scale, or hold no number at all."""
    path = file(riff(fmt(FLOAT, 1, 24_000, 32), packed([2.0, -3.0, np.nan, np.inf], FLOAT, 32)))
    assert [32_767, -32_768, 0, 32_767] == read_wav(path).tolist()


def test_other_chunks_are_skipped(file):
    """Lists and odd-sized chunks before the sound do not matter."""
    odd = struct.pack("<4sI", b"LIST", 3) + b"abc\0"
    path = file(riff(fmt(PCM, 1, 24_000, 16), packed([0.5], PCM, 16), extra=odd))
    assert [16_384] == read_wav(path).tolist()


@pytest.mark.parametrize("claimed", [1_000, 0xFFFF_FFFF])
def test_a_file_cut_short_gives_what_is_there(file, claimed):
    """Half a sample at the end is dropped."""
    path = file(riff(fmt(PCM, 1, 24_000, 16), packed([0.5, 0.25], PCM, 16) + b"x", data_size=claimed))
    assert [16_384, 8_192] == read_wav(path).tolist()


def test_rate_is_changed(file):
    """A second stays a second."""
    path = file(riff(fmt(PCM, 1, 8_000, 16), packed(np.zeros(8_000), PCM, 16)))
    assert 24_000 == len(read_wav(path))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"not sound at all, but long enough", "is not a WAV file"),
        (riff(fmt(PCM, 1, 24_000, 16), b""), "holds no sound"),
        (riff(fmt(6, 1, 8_000, 8), b"1234"), "8-bit sound of WAV kind 6"),
        (riff(fmt(PCM, 0, 8_000, 8), b"1234"), "0 channels"),
        (riff(b"short", b"1234"), "broken header"),
        (riff(fmt(PCM, 1, 24_000, 16), b"1234")[:40], "ends before its sound begins"),
        (struct.pack("<4sI4s4sI", b"RIFF", 12, b"WAVE", b"data", 4) + b"1234", "ends before its sound begins"),
    ],
)
def test_a_bad_file_is_told_in_one_sentence(file, content, said):
    """The sentence holds the path, what is wrong and what to do."""
    path = file(content)
    with pytest.raises(FormatError) as caught:
        WavMicrophone(path, clock=ManualClock())
    assert str(path) in str(caught.value)
    assert said in str(caught.value)


def test_a_missing_file_is_told(tmp_path):
    """No traceback of an OSError."""
    with pytest.raises(FormatError, match=r"There is no file .*none\.wav: give the path"):
        WavMicrophone(tmp_path / "none.wav")


def test_a_directory_is_told(tmp_path):
    """A path that cannot be read or written is named with the system's reason."""
    with pytest.raises(FormatError, match="cannot be read"):
        WavMicrophone(tmp_path)
    with pytest.raises(FormatError, match="cannot be written"):
        WavSpeaker(tmp_path)


def sound_file(path, samples, rate=24_000):
    with WavWriter(path, rate) as writer:
        writer.write(samples)
    return path


async def frames_of(microphone, limit):
    frames = []
    async for frame in microphone.frames():
        frames.append(frame)
        if len(frames) == limit:
            break
    return frames


def collect(microphone, clock, limit=1_000):
    return fast_forward.run(frames_of(microphone, limit), clock)


def test_a_file_is_heard_in_real_time(tmp_path):
    """Frame k begins at k times its length, and comes when it is whole."""
    clock = ManualClock(5.0)
    path = sound_file(tmp_path / "a.wav", np.arange(1_440, dtype=np.int16))
    microphone = WavMicrophone(path, clock=clock, then_silence=False)

    async def main():
        return [
            (round(frame.time, 6), round(clock.now(), 6), len(frame.samples), frame.lost)
            async for frame in microphone.frames()
        ]

    arrivals = fast_forward.run(main(), clock)
    assert [(5.0, 5.02, 480, 0), (5.02, 5.04, 480, 0), (5.04, 5.06, 480, 0)] == arrivals


@pytest.mark.parametrize("rate", [8_000, 24_000, 44_100])
def test_the_whole_file_is_heard_at_the_rate_asked(tmp_path, rate):
    """However the frames fall, they hold the file's sound."""
    tone = (8_000 * np.sin(np.arange(int(0.5 * rate)) * 2 * np.pi * 300 / rate)).astype(np.int16)
    path = sound_file(tmp_path / "a.wav", tone, rate)
    clock = ManualClock()
    frames = collect(WavMicrophone(path, clock=clock, then_silence=False), clock)
    heard = np.concatenate([f.samples for f in frames])
    assert 12_000 == len(heard)
    assert read_wav(path).tolist() == heard.tolist()


def test_lead_in_comes_before_and_silence_after(tmp_path):
    """Both have the length asked for."""
    path = sound_file(tmp_path / "a.wav", np.full(480, 7, np.int16))
    clock = ManualClock()
    frames = collect(WavMicrophone(path, clock=clock, lead_in_s=0.02, then_silence=0.04), clock)
    assert [0, 7, 0, 0] == [int(f.samples[0]) for f in frames]


def test_silence_without_end_follows_by_default(tmp_path):
    """A server's turn detection needs sound to flow."""
    path = sound_file(tmp_path / "a.wav", np.full(480, 7, np.int16))
    clock = ManualClock()
    frames = collect(WavMicrophone(path, clock=clock), clock, limit=500)
    assert (500, 10.0) == (len(frames), pytest.approx(clock.now()))


def test_each_iteration_plays_from_the_beginning(tmp_path):
    """A microphone may be listened to again."""
    path = sound_file(tmp_path / "a.wav", np.full(480, 7, np.int16))
    clock = ManualClock()
    microphone = WavMicrophone(path, clock=clock, then_silence=False)
    assert [1, 1] == [len(collect(microphone, clock)) for _ in range(2)]


def wav_samples(path):
    """Read a file with the standard library, as a stranger would."""
    with wave.open(str(path)) as f:
        assert (1, 2, 24_000) == (f.getnchannels(), f.getsampwidth(), f.getframerate())
        return np.frombuffer(f.readframes(f.getnframes()), "<i2").tolist()


def test_a_speakers_file_holds_what_sounded_when(tmp_path):
    """It begins with the first sound, keeps the silence between and ends with the last sound."""
    clock = ManualClock()
    with WavSpeaker(tmp_path / "a.wav", clock=clock) as speaker:
        clock.advance(3)
        for n, value in ((240, 5), (120, 6)):
            speech = speaker.play(SpeechId("item"))
            speech.write(np.full(n, value, np.int16))
            speech.finish()
            clock.advance(0.02)
        clock.advance(60)
    assert [5] * 240 + [0] * 240 + [6] * 120 == wav_samples(tmp_path / "a.wav")


def test_an_interrupted_speakers_file_fades_out_at_the_cut(tmp_path):
    """5 ms after the cut there is nothing."""
    clock = ManualClock()
    with WavSpeaker(tmp_path / "a.wav", clock=clock) as speaker:
        speech = speaker.play(SpeechId("item"))
        speech.write(np.full(24_000, 1_210, np.int16))
        clock.advance(0.1)
        heard = speech.cancel()
        clock.advance(1)
    samples = wav_samples(tmp_path / "a.wav")
    assert (2_400, 0.1) == (heard.samples, pytest.approx(heard.at))
    assert [1_210] * 2_400 + list(range(1_200, 0, -10)) == samples


def test_what_has_not_sounded_is_not_in_the_file(tmp_path):
    """Closing early ends the file where the sound was."""
    clock = ManualClock()
    with WavSpeaker(tmp_path / "a.wav", clock=clock) as speaker:
        speaker.play(SpeechId("item")).write(np.full(24_000, 9, np.int16))
        clock.advance(0.5)
    assert [9] * 12_000 == wav_samples(tmp_path / "a.wav")


def test_the_file_is_whole_at_any_moment(tmp_path):
    """A program that is killed leaves a file that plays."""
    clock = ManualClock()
    speaker = WavSpeaker(tmp_path / "a.wav", clock=clock)
    before = wav_samples(tmp_path / "a.wav")
    speech = speaker.play(SpeechId("item"))
    speech.write(np.full(480, 9, np.int16))
    clock.advance(0.01)
    speech.heard()
    during = wav_samples(tmp_path / "a.wav")
    speaker.close()
    assert ([], [9] * 240) == (before, during)


def test_closing_twice_and_sounding_after_it_do_no_harm(tmp_path):
    """The file keeps what it had; playbacks go on in silence."""
    clock = ManualClock()
    speaker = WavSpeaker(tmp_path / "a.wav", clock=clock)
    speech = speaker.play(SpeechId("item"))
    speech.write(np.full(480, 9, np.int16))
    speaker.close()
    speaker.close()
    clock.advance(1)
    assert ([], 480) == (wav_samples(tmp_path / "a.wav"), speech.heard().samples)


def test_a_refusing_disk_is_told(tmp_path):
    """A full disk is one sentence, not an OSError."""

    class FullDisk:
        def seek(self, *_):
            raise OSError(28, "No space left on device")

        def close(self):
            pass

    writer = WavWriter(tmp_path / "a.wav", 24_000)
    writer._file.close()
    writer._file = FullDisk()
    with pytest.raises(AudioError, match=r"a\.wav could not be written on \(No space left on device\)"):
        writer.write(np.zeros(1, np.int16))


def test_a_reader_mixes_in_pieces(file):
    """Reading by pieces is reading the whole."""
    values = np.linspace(-0.9, 0.9, 300)
    path = file(riff(fmt(PCM, 2, 24_000, 24), packed(values, PCM, 24)))
    with WavReader(path) as reader:
        pieces = [reader.read(n).tolist() for n in (1, 7, 100, 100)]
    assert read_wav(path).tolist() == [s for piece in pieces for s in piece]
