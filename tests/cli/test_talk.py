"""``realtime talk``: a question in, an answer out, and one sentence for everything that goes wrong."""

import asyncio
import json
import re

import numpy as np
import pytest
from commands import run_realtime

from listening import ANSWERS, which_sentence
from openai_realtime_api_utils.simulator import ScriptedEngine, Settings, questions, serve
from wav_files import dbfs, read_wav

ANSWER = "Six times seven is forty-two."


def test_a_bare_talk_asks_the_shipped_question_and_writes_the_answer(tmp_path):
    """In real time: choices told, greeting, question and answer shown, a summary, and a WAV with the answer in it."""
    done = run_realtime("talk", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    shown = " ".join(done.stdout.split())
    for said in (
        'microphone the shipped question "What is six times seven?" (There is no',
        "server the local simulator (OPENAI_API_KEY is not set)",
        "assistant Hello, I am a local stand-in for the real model.",
        "you what is six times seven",
        f"assistant {ANSWER}",
        "s after you stopped",
        "in all 1 turn",
        "written answer.wav",
    ):
        assert said in shown
    rate, samples = read_wav(tmp_path / "answer.wav")
    greeting, answer = split_at_the_longest_silence(samples, rate)
    assert 3 < len(greeting) / rate < 12
    assert 1 < len(answer) / rate < 5
    assert -30 < dbfs(answer) < -12
    assert which_sentence(answer, ANSWERS) == ANSWER


def split_at_the_longest_silence(samples, rate):
    """Return the two halves of a recording round its longest silence, counted in blocks of 20 ms."""
    block = rate // 50
    loud = [dbfs(samples[i : i + block]) > -60 for i in range(0, len(samples), block)]
    best, since = (0, 0), None
    for index, is_loud in enumerate([*loud, True]):
        if is_loud:
            best = max(best, (index - since, since)) if since is not None else best
            since = None
        elif since is None:
            since = index
    length, start = best
    return samples[: start * block], samples[(start + length) * block :]


def moments_of(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def fast(tmp_path_factory):
    """One conversation as fast as possible, told as JSON and saved."""
    folder = tmp_path_factory.mktemp("fast")
    done = run_realtime("talk", "--fast", "--json", "--save", "kept", "--output", "b.wav", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder, moments_of(done)


def test_json_tells_every_moment(fast):
    """Each line is an object with its time and kind; together they tell the conversation."""
    _, moments = fast
    assert {m["kind"] for m in moments} == {"chose", "floor", "said", "heard", "answered", "summary"}
    assert [m["t"] for m in moments] == sorted(m["t"] for m in moments)
    final = [(m["who"], m["text"].split(".")[0]) for m in moments if m["kind"] == "said" and m["is_final"]]
    assert final == [
        ("assistant", "Hello, I am a local stand-in for the real model"),
        ("user", "what is six times seven"),
        ("assistant", ANSWER.removesuffix(".")),
    ]
    assert [m["who"] for m in moments if m["kind"] == "floor"] == [
        "assistant", "nobody", "user", "nobody", "assistant", "nobody",
    ]  # fmt: skip


def test_what_is_being_said_is_told_as_it_comes(fast):
    """The answer's text grows word by word before it is final."""
    _, moments = fast
    growing = [m["text"] for m in moments if m["kind"] == "said" and m["text"].startswith("Six")]
    assert len(growing) > 3
    assert all(ANSWER.startswith(text) for text in growing)


def test_what_has_been_heard_is_told_as_it_sounds(fast):
    """The heard text grows behind what was said, to its end."""
    _, moments = fast
    heard = [m["text"] for m in moments if m["kind"] == "heard" and ANSWER.startswith(m["text"][:3] or "-")]
    assert all(ANSWER.startswith(text) for text in heard)
    assert [len(text) for text in heard] == sorted(len(text) for text in heard)
    assert heard[-1] == ANSWER
    assert [m["is_over"] for m in moments if m["kind"] == "heard"].count(True) == 2


def test_the_latency_counts_from_the_end_of_speech(fast):
    """It holds the silence that ends a turn, and says how much that is."""
    _, moments = fast
    (answered,) = [m for m in moments if m["kind"] == "answered"]
    assert answered["turn"] == 1
    assert answered["of_it_silence_s"] == 0.5
    assert answered["of_it_silence_s"] < answered["latency_s"] < 3


def test_the_summary_adds_up(fast):
    """Turns, seconds and tokens are those of the conversation; the files are named."""
    folder, moments = fast
    summary = moments[-1]
    rate, samples = read_wav(folder / "b.wav")
    assert summary["kind"] == "summary"
    assert summary["turns"] == 1
    assert 1 < summary["user_audio_s"] < 4
    assert 3 < summary["assistant_audio_s"] < len(samples) / rate
    assert min(summary["tokens_in"], summary["tokens_out"]) > 0
    assert summary["files"] == ["b.wav", "kept"]


def test_a_saved_conversation_can_be_read(fast):
    """Events without audio or secrets, the transcript, and what went into the microphone."""
    folder, _ = fast
    lines = [json.loads(line) for line in (folder / "kept/events.jsonl").read_text().splitlines()]
    assert {line["direction"] for line in lines} == {"sent", "received"}
    appends = [line["event"] for line in lines if line["event"]["type"] == "input_audio_buffer.append"]
    assert all(re.fullmatch(r"<\d+ bytes of audio>", append["audio"]) for append in appends)
    assert len(appends) > 100
    assert "assistant: Six times seven is forty-two." in (folder / "kept/transcript.txt").read_text()
    rate, samples = read_wav(folder / "kept/microphone.wav")
    assert rate == 24_000
    assert np.abs(samples).max() > 1000


def test_an_interruption_is_told_with_what_was_heard(tmp_path):
    """A user who speaks into a story cuts it, and only what was heard of it is shown as said."""
    done = run_realtime(
        "talk", "--fast", "--json", "--no-greeting", "--input", str(questions.path("interruption")), cwd=tmp_path
    )
    moments = moments_of(done)
    (cut,) = [m for m in moments if m["kind"] == "interrupted"]
    assert 2000 < cut["heard_ms"] < 9000
    assert cut["heard_text"].startswith("Once upon a time")
    assert moments[-1]["turns"] == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--input", "missing.wav"], "There is no file missing.wav"),
        (["--input", "."], "."),
        (["--input", "text.wav"], "text.wav"),
        (["--output", "no/such/folder/a.wav"], "no/such/folder/a.wav"),
        (["--save", "text.wav"], "text.wav"),
        (["--url", "ws://127.0.0.1:9/v1"], "ws://127.0.0.1:9/v1 cannot be reached"),
        (["--url", "nonsense"], "nonsense"),
        (["--fast", "--url", "ws://127.0.0.1:9/v1"], "leave out --fast"),
        (["--microphone", "attic"], "There is no"),
        (["--push-to-talk"], "There is no"),
        (["--chat-url", "http://127.0.0.1:9/v1"], "without --chat-model"),
    ],
)
def test_bad_input_gets_one_sentence(arguments, said, tmp_path):
    """No traceback, exit code 1, and an earlier recording is left as it was."""
    (tmp_path / "text.wav").write_text("this is no sound")
    (tmp_path / "answer.wav").write_bytes(b"precious")
    done = run_realtime("talk", *arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("realtime: ")
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert (tmp_path / "answer.wav").read_bytes() == b"precious"


def test_an_unknown_option_is_a_usage_error(tmp_path):
    """The command line itself was wrong: exit code 2."""
    assert run_realtime("talk", "--bogus", cwd=tmp_path).returncode == 2


async def talk_to(server, tmp_path, *arguments, **variables):
    return await asyncio.to_thread(
        run_realtime, "talk", "--json", "--no-greeting", *arguments, cwd=tmp_path, **variables
    )


@pytest.mark.parametrize("refuse_key", ["http", "close"])
async def test_a_refused_key_is_told(refuse_key, tmp_path):
    """Both ways of refusing a key, HTTP 401 and close 3000, end in one sentence that does not show the key."""
    settings = Settings(api_keys=frozenset({"good"}), refuse_key=refuse_key)
    async with serve(ScriptedEngine, settings=settings) as server:
        done = await talk_to(server, tmp_path, "--url", server.url, OPENAI_API_KEY="sk-wrongwrongwrong")
    assert done.returncode == 1
    assert "heck the API key" in done.stderr
    assert "sk-wrong" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


async def test_a_key_in_dot_env_is_used_and_never_overrides(tmp_path):
    """``.env`` gives the key; the environment's own wins over it."""
    (tmp_path / ".env").write_text("OPENAI_API_KEY=from-the-file\n")
    settings = Settings(api_keys=frozenset({"from-the-file"}), refuse_key="http")
    async with serve(lambda: ScriptedEngine(hears=["hi"]), settings=settings) as server:
        url = server.url.replace("ws://", "http://")
        used = await talk_to(server, tmp_path, OPENAI_BASE_URL=url)
        overridden = await talk_to(server, tmp_path, OPENAI_BASE_URL=url, OPENAI_API_KEY="another")
    assert used.returncode == 0, used.stderr
    assert ("at OpenAI", "OPENAI_API_KEY is set") == (
        moments_of(used)[1]["which"][-9:],
        moments_of(used)[1]["why"],
    )
    assert overridden.returncode == 1
    assert "401" in overridden.stderr


async def test_a_server_that_goes_away_is_told(tmp_path):
    """A connection lost in the middle of the conversation: one sentence, and the WAV is whole."""
    async with serve(ScriptedEngine, settings=Settings(lifetime_s=1.0)) as server:
        done = await talk_to(server, tmp_path, "--url", server.url)
    assert done.returncode == 1
    assert "closed with code 1001" in done.stderr
    assert "Traceback" not in done.stderr
    read_wav(tmp_path / "answer.wav")
