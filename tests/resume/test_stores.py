"""What is needed to go on elsewhere is kept, whatever ends the program."""

import json
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_realtime_api_utils import FileStore, MemoryStore
from openai_realtime_api_utils.errors import RealtimeUtilsError
from openai_realtime_api_utils.state.restore import LOST_OUTPUT
from openai_realtime_api_utils.state.stored import Stored, record, without_secrets


def message(item_id, text="x", role="user"):
    kind = "output_text" if role == "assistant" else "input_text"
    return {"id": item_id, "type": "message", "role": role, "content": [{"type": kind, "text": text}]}


def item(item_id, after=None, **fields):
    return record("item", item=message(item_id, **fields), after=after)


RECORDS = [record("session", id="sess_1"), record("config", session={"instructions": "Hi."}), item("a"), item("b", "a")]


async def test_a_file_holds_what_was_appended(tmp_path):
    """Another store on the same path loads the same records."""
    store = FileStore(tmp_path / "new" / "talk.jsonl")
    assert [] == list(await store.load())
    await store.append(RECORDS[:2], is_turn_end=False)
    await store.append(RECORDS[2:], is_turn_end=True)
    await store.close()
    again = FileStore(tmp_path / "new" / "talk.jsonl")
    assert RECORDS == list(await again.load())
    await again.close()


async def test_a_file_is_for_its_owner_only(tmp_path):
    """The file, and the folder that was made for it; a file that was open to others is closed to them."""
    path = tmp_path / "new" / "talk.jsonl"
    store = FileStore(path)
    await store.load()
    await store.close()
    assert (0o600, 0o700) == (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode))
    path.chmod(0o644)
    await store.load()
    await store.close()
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)


async def test_a_line_that_was_cut_off_is_passed_over(tmp_path):
    """A program that dies while it writes loses that line only, and the next line is whole again."""
    path = tmp_path / "talk.jsonl"
    store = FileStore(path, fsync="always")
    await store.append(RECORDS, is_turn_end=True)
    with path.open("ab") as file:
        file.write(b'{"v":1,"kind":"item","item":{"id":"c"')
    await store.close()
    assert Stored(RECORDS).items == Stored(await store.load()).items
    await store.append([item("d", "b")], is_turn_end=False)
    await store.close()
    assert ["a", "b", "d"] == [each["id"] for each in Stored(await store.load()).items]
    await store.close()


async def test_a_file_is_written_anew_when_most_of_it_is_old(tmp_path):
    """Replaced records are dropped as the file is loaded; it stays the owner's."""
    path = tmp_path / "talk.jsonl"
    store = FileStore(path, fsync="never")
    await store.append(RECORDS, is_turn_end=True)
    await store.append([record("item", item=message("a", text=str(n))) for n in range(600)], is_turn_end=True)
    await store.close()
    loaded = Stored(await store.load())
    await store.close()
    assert ["599", "x"] == [each["content"][0]["text"] for each in loaded.items]
    assert 4 == len(path.read_text().splitlines())
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert ["talk.jsonl"] == [each.name for each in tmp_path.iterdir()]


async def test_two_programs_cannot_hold_one_conversation(tmp_path):
    """The second is told so, in a sentence that says what to do."""
    first, second = FileStore(tmp_path / "talk.jsonl"), FileStore(tmp_path / "talk.jsonl")
    await first.load()
    with pytest.raises(RealtimeUtilsError, match="Another program holds the conversation"):
        await second.load()
    await first.close()
    await second.load()
    await second.close()


async def test_a_file_that_cannot_be_made_is_told(tmp_path):
    """A path through a file names itself in the error."""
    (tmp_path / "file").write_text("")
    with pytest.raises(RealtimeUtilsError, match="choose another file"):
        await FileStore(tmp_path / "file" / "talk.jsonl").load()


def test_a_wrong_policy_is_told():
    """There are three."""
    with pytest.raises(ValueError, match="'turn', 'always' or 'never'"):
        FileStore("x", fsync="sometimes")


async def test_memory_adds_up_and_forgets():
    """It holds the sum of the records, and no more than 500 items."""
    store = MemoryStore()
    await store.append(RECORDS, is_turn_end=True)
    assert Stored(RECORDS).items == Stored(await store.load()).items
    await store.append([item(f"n{n}", f"n{n - 1}" if n else "b") for n in range(2_500)], is_turn_end=True)
    items = Stored(await store.load()).items
    assert (500, "n2499") == (len(items), items[-1]["id"])


KINDS = st.sampled_from("abcdef")
CHANGES = st.lists(
    st.one_of(
        st.builds(lambda i, after: item(i, after), KINDS, st.none() | KINDS),
        st.builds(lambda i, text: record("item", item=message(i, text=text)), KINDS, st.text(max_size=3)),
        st.builds(lambda i: record("gone", id=i), KINDS),
        st.builds(lambda text: record("config", session={"instructions": text}), st.text(max_size=3)),
    ),
    max_size=30,
)


@given(CHANGES)
def test_the_fewest_records_add_up_to_the_same(records):
    """Writing a store anew changes nothing."""
    stored = Stored(records)
    again = Stored(json.loads(json.dumps(stored.records())))
    assert (stored.items, stored.config, stored.session_id) == (again.items, again.config, again.session_id)


@given(st.lists(st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(max_size=3))))
def test_unknown_records_are_passed_over(records):
    """A later version's records do no harm."""
    assert Stored(records).is_empty or any(each.get("kind") == "config" for each in records)


def test_a_call_that_nobody_will_answer_has_an_output():
    """The program that ran it is gone; running it again might do it twice."""
    call = {"id": "item_c", "type": "function_call", "call_id": "call_1", "name": "pay", "arguments": "{}"}
    items = Stored([record("item", item=call, after=None)]).items
    assert [("function_call", "call_1"), ("function_call_output", "call_1")] == [
        (each["type"], each["call_id"]) for each in items
    ]
    assert LOST_OUTPUT == items[1]["output"]


def test_secrets_are_not_stored():
    """The keys by which MCP servers are called stay out of a stored configuration."""
    tools = [{"type": "mcp", "server_label": "x", "authorization": "secret", "headers": {"X-Key": "secret"}}]
    assert {"tools": [{"type": "mcp", "server_label": "x"}], "n": 1} == without_secrets({"tools": tools, "n": 1})
