"""Be a sound card where there is none: PulseAudio with null sinks, private to whoever starts it.

A loudspeaker (``spk``), and a microphone that hears an injected voice (``inj``) and the loudspeaker through a delay.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.ear import Ear

RATE = 48_000
PACKAGES = "pulseaudio pulseaudio-utils libasound2-plugins libportaudio2"

# Without the system's own alsa.conf PortAudio sees these two names only.
ALSA = """
pcm.!default { type pulse  hint { show on description "pulse" } }
ctl.!default { type pulse }
pcm.pulse { type pulse  hint { show on description "pulse" } }
ctl.pulse { type pulse }
"""
SINK = "load-module module-null-sink sink_name={name} rate=48000 channels=1"
LOOPBACK = (
    "load-module module-loopback source={source}.monitor sink=micmix latency_msec={ms}{rigid}"
    " source_dont_move=true sink_dont_move=true"
)
RIGID = " adjust_time=0"


def missing() -> str | None:
    """Say what has to be installed, if anything."""
    found = shutil.which("pulseaudio") and shutil.which("pactl") and shutil.which("parec")
    return None if found else f"the sound card of the tests is PulseAudio: sudo apt-get install {PACKAGES}"


class SoundCard:
    """Run a private PulseAudio and put it into the environment; programs started from here use it."""

    def __init__(self, folder: Path, *, echo_ms: int | None = 80, drifts: bool = False) -> None:
        self.folder = folder
        self._server: subprocess.Popen[bytes] | None = None
        self._saying: list[subprocess.Popen[bytes]] = []
        run = folder / "run"
        for path in (run, run / "pulse", run / "state"):
            path.mkdir(mode=0o700, exist_ok=True)
        (folder / "asound.conf").write_text(ALSA)
        lines = [f"load-module module-native-protocol-unix socket={run}/pulse/native auth-anonymous=1"]
        lines += [SINK.format(name=name) for name in ("spk", "inj", "micmix")]
        lines += ["load-module module-remap-source source_name=mic master=micmix.monitor"]
        lines += [LOOPBACK.format(source="inj", ms=20, rigid=RIGID)]
        if echo_ms is not None:
            lines += [LOOPBACK.format(source="spk", ms=echo_ms, rigid="" if drifts else RIGID)]
        lines += ["set-default-sink spk", "set-default-source mic"]
        (folder / "pulse.pa").write_text("\n".join(lines) + "\n")
        self.environment = {
            "XDG_RUNTIME_DIR": str(run),
            "PULSE_RUNTIME_PATH": str(run / "pulse"),
            "PULSE_STATE_PATH": str(run / "state"),
            "PULSE_SERVER": f"unix:{run}/pulse/native",
            "ALSA_CONFIG_PATH": str(folder / "asound.conf"),
        }

    def start(self) -> None:
        """Start the server and wait until it answers."""
        command = ["pulseaudio", "-n", "-F", str(self.folder / "pulse.pa"), "--daemonize=no", "--exit-idle-time=-1"]
        # Of the priority that it has where it is installed, if that is allowed: one that gets no CPU sounds nothing.
        command += ["--disallow-exit", "--use-pid-file=no", "--realtime=yes", "--high-priority=yes"]
        environment = {**os.environ, **self.environment}
        with (self.folder / "pulse.log").open("ab") as log:
            self._server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        for _ in range(100):
            if self.control("info", check=False) == 0:
                break
            time.sleep(0.05)
        else:
            raise RuntimeError(f"PulseAudio did not start: {(self.folder / 'pulse.log').read_text()}")
        # The first stream of a new server may start a second late: let this be it.
        first = ["timeout", "0.5", "parec", "-d", "spk.monitor"]
        subprocess.run(first, env=environment, stdout=subprocess.DEVNULL, check=False)

    def kill(self) -> None:
        """End the server at once, as a crash would, and who speaks through it."""
        for saying in self._saying:
            saying.kill()
            saying.wait()
        self._saying.clear()
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server = None

    def stand_still(self, *, still: bool) -> None:
        """Stop the server as a hung one is, or let it go on."""
        assert self._server is not None
        self._server.send_signal(signal.SIGSTOP if still else signal.SIGCONT)

    def control(self, *arguments: str, check: bool = True) -> int:
        """Run pactl."""
        done = subprocess.run(
            ["pactl", *arguments], env={**os.environ, **self.environment}, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, check=check, timeout=10,
        )  # fmt: skip
        return done.returncode

    def say(self, samples: np.ndarray, rate: int = 24_000) -> subprocess.Popen[bytes]:
        """Say something into the microphone, where it is heard about 40 ms later; return what ends when it is out."""
        path = self.folder / f"said-{time.monotonic_ns()}.raw"
        path.write_bytes(samples.astype("<i2").tobytes())
        command = [
            "pacat",
            "-d",
            "inj",
            "--raw",
            "--format=s16le",
            f"--rate={rate}",
            "--channels=1",
            "--latency-msec=10",
        ]
        self._saying.append(subprocess.Popen([*command, str(path)], env={**os.environ, **self.environment}))
        return self._saying[-1]

    @contextmanager
    def listen(self, source: str = "spk.monitor") -> Iterator[Ear]:
        """Record what a sink sounds, in a process of its own."""
        ear = Ear(self.folder / f"heard-{time.monotonic_ns()}", source, {**os.environ, **self.environment})
        try:
            yield ear
        finally:
            ear.stop()


@contextmanager
def sound_card(*, echo_ms: int | None = 80, drifts: bool = False) -> Iterator[SoundCard]:
    """Run a sound card, and put it into this process's environment meanwhile."""
    with tempfile.TemporaryDirectory(prefix="sound-card-", ignore_cleanup_errors=True) as folder:
        card = SoundCard(Path(folder), echo_ms=echo_ms, drifts=drifts)
        before = {name: os.environ.get(name) for name in card.environment}
        card.start()
        os.environ.update(card.environment)
        try:
            yield card
        finally:
            card.kill()
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
