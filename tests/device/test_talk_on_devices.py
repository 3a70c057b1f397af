"""``realtime talk`` and ``realtime doctor`` on a real sound server, with a voice injected into the microphone."""

import json
import os
import pty
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from listening import ANSWERS, question, which_sentence
from openai_realtime_api_utils.audio.resample import resample

sys.path.append(str(Path(__file__).parent.parent / "cli"))

from commands import REALTIME, environment, run_realtime

ANSWER = "Six times seven is forty-two."


@contextmanager
def talking(folder, card, *arguments):
    """Run the command on a terminal's input; yield (moments as they come, what presses a key); end it with Ctrl-C."""
    outer, inner = pty.openpty()
    process = subprocess.Popen(
        [str(REALTIME), "talk", "--json", "--no-greeting", *arguments],
        cwd=folder,
        env=environment(**card.environment),
        stdin=inner,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield (json.loads(line) for line in process.stdout), lambda key: os.write(outer, key.encode())
        process.send_signal(signal.SIGINT)
        stderr = process.communicate(timeout=30)[1]
        assert (process.returncode, stderr) == (130, "")
    finally:
        process.kill()
        process.communicate()
        os.close(outer)
        os.close(inner)


def until(moments, **fields):
    """Return the moments up to the first that has these fields."""
    passed = []
    for moment in moments:
        passed.append(moment)
        if fields.items() <= moment.items():
            return passed
    pytest.fail(f"it ended before {fields}: {passed[-5:]}")


@pytest.mark.timeout(90)
def test_a_spoken_question_is_answered_over_the_loudspeaker(own_card, tmp_path):
    """The microphone hears it, the loudspeaker sounds the answer, and the assistant does not hear itself."""
    with own_card.listen() as ear, talking(tmp_path, own_card) as (moments, _):
        chosen = until(moments, kind="chose", what="engine")
        own_card.say(question())
        passed = until(moments, kind="heard", is_over=True)
    assert {m["what"]: m["which"] for m in chosen}["echo"] == "echo cancelling"
    assert [m["text"] for m in passed if m["kind"] == "said" and m["is_final"]] == ["what is six times seven", ANSWER]
    assert which_sentence(resample(ear.samples, 48_000, 24_000), ANSWERS) == ANSWER


@pytest.mark.timeout(90)
def test_push_to_talk_listens_between_two_keys(own_card, tmp_path):
    """Space opens the microphone, space closes it and asks for the answer."""
    with talking(tmp_path, own_card, "--push-to-talk") as (moments, press):
        until(moments, kind="chose", what="turns")
        press(" ")
        # A person lets go of the key when the question is out, and a moment later.
        own_card.say(np.concatenate((question(), np.zeros(9_600, np.int16)))).wait()
        press(" ")
        passed = until(moments, kind="heard", is_over=True)
    assert [m["text"] for m in passed if m["kind"] == "said" and m["is_final"]] == ["what is six times seven", ANSWER]


def test_push_to_talk_wants_a_terminal(own_card, tmp_path):
    """Without one there are no keys: one sentence."""
    done = run_realtime("talk", "--push-to-talk", cwd=tmp_path, **own_card.environment)
    assert done.returncode == 1
    assert "standard input is not a terminal" in done.stderr


@pytest.mark.timeout(90)
def test_the_doctor_measures_the_devices(own_card, tmp_path):
    """Round trip, echo and cancellation of the test's own sound card, whose echo is 80 ms late and at 0 dB."""
    done = run_realtime("doctor", "--json", cwd=tmp_path, **own_card.environment)
    found = json.loads(done.stdout)
    assert 80 < found["round_trip_ms"] < 400
    assert -3 < found["echo_db"] < 3
    assert found["cancelled_db"] > 20
    listed = json.loads(run_realtime("devices", "--json", cwd=tmp_path, **own_card.environment).stdout)
    assert [device["name"] for device in listed if device["is_default_input"]] == [found["microphone"]]
