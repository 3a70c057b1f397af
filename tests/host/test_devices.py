"""Choosing among devices, and saying what is wrong with them."""

import builtins
import importlib
import os
import sys
from types import SimpleNamespace

import pytest

from openai_realtime_api_utils.audio.ring import Ring
from openai_realtime_api_utils.clock import ManualClock
from openai_realtime_api_utils.errors import DeviceError, HandlerError, MissingExtraError
from openai_realtime_api_utils.host import devices, portaudio
from openai_realtime_api_utils.host.devices import Device, choose, silenced_stderr
from openai_realtime_api_utils.host.devices_apart import list_devices
from openai_realtime_api_utils.host.host_audio import host_audio

LAPTOP = (
    Device(0, "Built-in: ALC295 (hw:0,0)", "ALSA", 2, 2, 48_000),
    Device(1, "HDMI (hw:0,3)", "ALSA", 0, 8, 44_100),
    Device(2, "USB Headset", "ALSA", 1, 2, 16_000),
    Device(3, "USB Headset Pro", "ALSA", 1, 2, 16_000),
    Device(4, "default", "ALSA", 32, 32, 48_000, is_default_input=True, is_default_output=True),
)


@pytest.mark.parametrize(
    ("choice", "kind", "index"),
    [
        (None, "input", 4),
        (None, "output", 4),
        (1, "output", 1),
        ("hdmi", "output", 1),
        ("USB Headset", "input", 2),
        (lambda found: next(d.index for d in found if d.rate == 16_000), "input", 2),
    ],
)
def test_a_device_is_chosen_by_index_name_or_rule(choice, kind, index):
    """A whole name wins over a part of one; case does not matter."""
    assert index == choose(choice, kind, LAPTOP).index


@pytest.mark.parametrize(
    ("choice", "kind", "told"),
    [
        (1, "input", "There is no microphone 1: choose one of 0 Built-in: ALC295 (hw:0,0); 2 USB Headset"),
        ("headphones", "output", "There is no loudspeaker 'headphones': choose one of"),
        ("usb", "input", "The microphone 'usb' may be any of 'USB Headset', 'USB Headset Pro': give more of its name"),
    ],
)
def test_a_choice_that_fits_none_or_several_is_told(choice, kind, told):
    """One sentence, and all the devices."""
    with pytest.raises(DeviceError) as raised:
        choose(choice, kind, LAPTOP)
    assert str(raised.value).startswith(told)
    assert LAPTOP == raised.value.devices


def test_a_machine_without_a_microphone_says_so():
    """Whatever was asked for."""
    with pytest.raises(DeviceError, match="There is no microphone: connect one"):
        choose(None, "input", LAPTOP[1:2])


def test_portaudio_that_is_missing_is_one_sentence(monkeypatch):
    """With the command that installs it."""
    real = importlib.import_module

    def missing(name, *rest):
        if name == "sounddevice":
            raise OSError("PortAudio library not found")
        return real(name, *rest)

    monkeypatch.setattr(importlib, "import_module", missing)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    with pytest.raises(DeviceError, match="run  sudo apt-get install libportaudio2"):
        devices.devices_here()


def test_a_torn_configuration_ends_no_program(tmp_path, monkeypatch):
    """PortAudio aborts its process; this one is told in a sentence."""
    (tmp_path / "asound.conf").write_text("pcm.!default { type\n")
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(tmp_path / "asound.conf"))
    with pytest.raises(DeviceError, match="PortAudio, which opens sound devices, cannot start"):
        list_devices()


def test_a_package_that_is_not_installed_is_told_before_another_process_is_started(monkeypatch):
    """With the command that installs it."""
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MissingExtraError, match="list_devices needs the package 'sounddevice'"):
        list_devices()


def test_what_c_libraries_say_is_kept_off_the_screen(capfd):
    """And what is said afterwards is not."""
    with silenced_stderr():
        os.write(2, b"ALSA lib pcm.c: underrun occurred\n")
    os.write(2, b"mine\n")
    assert "mine\n" == capfd.readouterr().err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"engine": "fork"}, "host_audio has no engine 'fork': give 'process' or 'thread'."),
        ({"echo": "speex"}, "host_audio has no echo 'speex': give 'aec3', 'half_duplex', None or a function."),
    ],
)
def test_arguments_that_cannot_be_used_are_told(options, told):
    """Before anything is opened."""
    with pytest.raises(HandlerError) as raised, host_audio(**options):
        pass
    assert told == str(raised.value)


class Refusing(portaudio.PortAudio):
    """Be PortAudio with devices that refuse all rates but one."""

    def __init__(self, takes):
        self.clock = ManualClock()
        self.takes = takes
        self._sounddevice = SimpleNamespace(PortAudioError=RuntimeError)

    def make(self, device, rate):
        if rate != self.takes:
            raise RuntimeError("Invalid sample rate")
        return SimpleNamespace(rate=rate)


@pytest.mark.parametrize(("takes", "device"), [(24_000, 4), (44_100, 1), (48_000, 0), (16_000, 2)])
def test_a_device_is_opened_at_the_rate_it_takes(takes, device):
    """24 kHz first, else its own."""
    system = Refusing(takes)
    assert takes == system._open(LAPTOP[device], "output", LAPTOP, None, system.make).rate


def test_a_device_that_refuses_everything_is_told_with_its_reasons():
    """A busy device is one."""
    system = Refusing(None)
    with pytest.raises(DeviceError, match=r"The microphone 'USB Headset' cannot be opened \(at 24000 Hz: Invalid"):
        system._open(LAPTOP[2], "input", LAPTOP, None, system.make)


def test_a_rate_that_must_be_is_not_replaced():
    """A tape that is laid already has one."""
    system = Refusing(24_000)
    with pytest.raises(DeviceError, match="at 48000 Hz"):
        system._open(LAPTOP[0], "output", LAPTOP, 48_000, system.make)


class Told:
    """Note what a player is asked to do."""

    def __init__(self, outputs):
        self.streams, self.rings, self.outputs = [], [], outputs

    def mixer(self, device, rate, block, channels):
        played = []
        stream = SimpleNamespace(
            channels=channels, block=block, played=played, time=5.0, start=lambda: None,
            play_ringbuffer=lambda ring, where, start: played.append((where, start)) or len(played),
        )  # fmt: skip
        self.streams.append(stream)
        return stream

    def ring(self, **how):
        ring = SimpleNamespace(written=[], read=[], **how)
        ring.advance_write_index, ring.advance_read_index = ring.written.append, ring.read.append
        self.rings.append(ring)
        return ring


@pytest.mark.parametrize(("outputs", "channels"), [(1, 1), (2, 2), (8, 2), (32, 1)])
def test_a_card_sounds_on_both_sides_and_a_mixer_on_one_channel(outputs, channels):
    """The channels read the same tape from the same place, and start in one sample."""
    import numpy as np

    host = Told(outputs)
    device = Device(0, "card", "ALSA", 0, outputs, 48_000)
    player = portaudio._Player(host, device, 48_000, Ring(np.zeros(64, np.float32)), 70, 5)
    player.extend(3)
    (stream,) = host.streams
    assert channels == stream.channels == len(host.rings)
    assert [[n + 1] for n in range(channels)] == [where for where, _ in stream.played]
    assert 1 == len({start for _, start in stream.played})
    assert [([6, 32, 3], [6])] * channels == [(ring.written, ring.read) for ring in host.rings]


def test_the_names_need_no_portaudio(monkeypatch):
    """Importing what opens devices loads nothing that does."""
    for name in [n for n in sys.modules if n.startswith("openai_realtime_api_utils.host.")]:
        monkeypatch.delitem(sys.modules, name)
    real = builtins.__import__

    def careful(name, *rest, **more):
        assert name.partition(".")[0] not in ("sounddevice", "rtmixer")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", careful)
    importlib.import_module("openai_realtime_api_utils.host.host_audio")
    importlib.import_module("openai_realtime_api_utils.host.portaudio")
