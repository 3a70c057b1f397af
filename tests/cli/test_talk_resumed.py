"""``realtime talk --resume``: a conversation that has a name is gone on with."""

import json
import os
import signal
import stat
import subprocess

from commands import REALTIME, environment, run_realtime


def test_a_named_conversation_goes_on(tmp_path):
    """The second run does not greet again, and says so; both runs are in one file, which is its owner's."""
    runs = [run_realtime("talk", "--fast", "--json", "--resume", "./monday.jsonl", cwd=tmp_path) for _ in range(2)]
    assert [0, 0] == [done.returncode for done in runs], runs[-1].stderr
    said = [
        [
            (m["who"], m["text"].strip())
            for m in map(json.loads, done.stdout.splitlines())
            if m["kind"] == "said" and m["is_final"]
        ]
        for done in runs
    ]
    assert [3, 2] == [len(dict.fromkeys(each)) for each in said]
    assert "user" == said[1][0][0]
    chosen = [m for m in map(json.loads, runs[1].stdout.splitlines()) if m["kind"] == "chose"]
    assert ["--resume names it; it goes on"] == [m["why"] for m in chosen if m["what"] == "conversation"]
    kept = [json.loads(line) for line in (tmp_path / "monday.jsonl").read_text().splitlines()]
    assert 5 == len({line["item"]["id"] for line in kept if line["kind"] == "item"})
    assert 0o600 == stat.S_IMODE((tmp_path / "monday.jsonl").stat().st_mode)


def test_a_killed_talk_goes_on(tmp_path):
    """``kill -9`` in the middle of an answer: the next run goes on with what was heard."""
    command = [str(REALTIME), "talk", "--fast", "--json", "--resume", "./k.jsonl"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    for line in process.stdout:
        moment = json.loads(line)
        if moment["kind"] == "heard" and len(moment["text"]) > 30:
            break
    else:
        raise AssertionError("nothing was heard")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    done = run_realtime("talk", "--fast", "--json", "--resume", "./k.jsonl", cwd=tmp_path)
    assert 0 == done.returncode, done.stderr
    kept = [json.loads(line) for line in (tmp_path / "k.jsonl").read_text().splitlines()]
    roles = list({line["item"]["id"]: line["item"].get("role") for line in kept if line["kind"] == "item"}.values())
    assert ["assistant", "user", "assistant"] == roles[-3:]


def test_a_name_is_needed(tmp_path):
    """One sentence, and an example."""
    done = run_realtime("talk", "--resume", " ", cwd=tmp_path)
    assert (1, True) == (done.returncode, "needs a name" in done.stderr)
