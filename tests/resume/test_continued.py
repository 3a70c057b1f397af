"""A conversation goes on in another process."""

from exchange import said, texts
from openai_realtime_api_utils import FileStore, MemoryStore
from openai_realtime_api_utils.state.restore import LOST_OUTPUT
from talking import HEARS, STORY, TEXT, run, spoken


def continued(store_of, first, second, replies=(), **options):
    """Run two programs, one after the other, as two processes would."""

    def held(program):
        async def with_store(talk, engine, exchange):
            async with talk.held(store=store_of(), **options):
                return await program(talk, engine, exchange)

        return with_store

    return run(held(first), replies[0]), run(held(second), replies[1])


async def say_one(talk, engine, exchange):
    await talk.send({"type": "session.update", "session": TEXT})
    await talk.turn("One.", "item_1")
    return talk


async def say_two(talk, engine, exchange):
    await talk.events.until("local.session_replaced")
    await talk.turn("Two.")
    return talk, engine.turns[-1]


def test_a_new_program_goes_on(tmp_path):
    """It has the configuration and the items, under their ids; its replica has them, too."""
    one, (talk, turn) = continued(lambda: FileStore(tmp_path / "talk.jsonl"), say_one, say_two, (["1"], ["2"]))
    assert ["One.", "1", "Two."] == texts(turn.items)
    assert ("Be brief.", "text") == (turn.instructions, turn.modality)
    assert [item.id for item in one.conversation.items] == [item.id for item in talk.conversation.items][:2]
    assert ["One.", "1", "Two.", "2"] == [item.text for item in talk.conversation.items]
    (replaced,) = talk.events.of("local.session_replaced")
    assert ("continued", one.config.session_config.id) == (replaced.reason, replaced.old_session_id)


def test_a_store_in_memory_goes_on_in_the_same_program():
    """The same store, given again."""
    store = MemoryStore()
    _, (_, turn) = continued(lambda: store, say_one, say_two, (["1"], ["2"]))
    assert ["One.", "1", "Two."] == texts(turn.items)


def test_the_next_program_goes_on_after_the_next(tmp_path):
    """Three in a row; nothing is there twice."""
    store = lambda: FileStore(tmp_path / "talk.jsonl")  # noqa: E731
    continued(store, say_one, say_two, (["1"], ["2"]))
    _, (_, turn) = continued(store, say_two, say_two, (["3"], ["4"]))
    assert ["One.", "1", "Two.", "2", "Two.", "3", "Two."] == texts(turn.items)


def test_a_turn_without_an_answer_is_asked_for_again(tmp_path):
    """The program ended before the answer: the next one asks for it."""

    async def ask(talk, engine, exchange):
        await talk.send({"type": "session.update", "session": TEXT})
        await talk.send(said("item_1", "One."))
        await talk.events.until("conversation.item.done")
        await talk.wait(1)

    async def wait(talk, engine, exchange):
        done = await talk.events.until("response.done")
        return talk, done

    _, (talk, done) = continued(lambda: FileStore(tmp_path / "talk.jsonl"), ask, wait, ([], ["1"]))
    assert ("completed", ["One.", "1"]) == (done.response.status, [item.text for item in talk.conversation.items])


def test_a_call_whose_program_ended_is_not_run_again(tmp_path):
    """Its output says that nobody knows what came of it, and the model goes on from there."""
    from openai_realtime_api_utils.simulator import Call

    async def call(talk, engine, exchange):
        await talk.send({"type": "session.update", "session": {"type": "realtime", "output_modalities": ["text"]}})
        await talk.turn("Pay.")

    async def wait(talk, engine, exchange):
        await talk.events.until("response.done")
        return talk, engine.turns[-1]

    replies = ([Call("pay", {})], ["I do not know whether it was paid."])
    _, (talk, turn) = continued(lambda: FileStore(tmp_path / "talk.jsonl"), call, wait, replies)
    assert ["message", "function_call", "function_call_output"] == [item["type"] for item in turn.items]
    assert LOST_OUTPUT == turn.items[-1]["output"]
    assert [] == [e.error.message for e in talk.events.of("error")]


def test_only_what_was_heard_is_kept_of_speech_that_was_playing(tmp_path):
    """The program ends in the middle of an answer: the next session knows no word that did not sound."""
    path = tmp_path / "talk.jsonl"

    async def listen(talk, engine, exchange, user):
        async with talk.held(*user.hooked, heard=user.player, store=FileStore(path)):
            await talk.send({"type": "session.update", "session": HEARS})
            await talk.send({"type": "response.create"})
            await talk.events.until("response.done")
            await talk.wait(3)
            (item,) = talk.conversation.items
            return user.player.heard_text(item.id)

    async def look(talk, engine, exchange):
        async with talk.held(store=FileStore(path)):
            await talk.events.until("local.session_replaced")
            await talk.turn("Go on.")
            return engine.turns[-1]

    heard = spoken(listen, [STORY * 10])
    told = texts(run(look, ["Well."]).items)[0]
    assert told
    assert heard.startswith(told)
    assert len(heard) - len(told) < 40
    assert len(heard) < len(STORY * 10) / 2


def test_a_store_that_fails_does_not_end_the_conversation(caplog):
    """It is told once; when it works again, nothing is missing."""
    memory = MemoryStore()

    class Failing:
        is_broken = True

        async def load(self):
            return await memory.load()

        async def append(self, records, /, *, is_turn_end):
            if self.is_broken:
                raise OSError("disk full")
            await memory.append(records, is_turn_end=is_turn_end)

        async def close(self):
            pass

    store = Failing()

    async def program(talk, engine, exchange):
        async with talk.held(store=store):
            await talk.send({"type": "session.update", "session": TEXT})
            await talk.turn("One.")
            await talk.turn("Two.")
            store.is_broken = False
            await talk.turn("Three.")

    run(program, ["1", "2", "3"])
    _, (_, turn) = continued(lambda: memory, say_two, say_two, (["4"], ["5"]))
    assert 1 == sum("cannot be stored" in record.getMessage() for record in caplog.records)
    assert ["One.", "1", "Two.", "2", "Three.", "3", "Two.", "4", "Two."] == texts(turn.items)
