"""The laws of the chain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_realtime_api_utils.chain import chain
from openai_realtime_api_utils.errors import HandlerError
from openai_realtime_api_utils.handlers import for_types


def appending(letter: str, *, is_async: bool):
    """Return a handler that leaves its letter on the event and in the metadata."""

    def handler(event, metadata, connection):
        return {**event, "seen": event["seen"] + letter}, {**metadata, letter: len(metadata)}

    async def async_handler(event, metadata, connection):
        return handler(event, metadata, connection)

    return async_handler if is_async else handler


def dropping(event, metadata, connection):
    return None, metadata


def new_event():
    return {"type": "x", "event_id": "e1", "seen": ""}


handlers = st.lists(
    st.one_of(
        st.builds(appending, st.sampled_from("abcdef"), is_async=st.booleans()),
        st.just(dropping),
    ),
    max_size=8,
)


def run(result):
    """Return what a chain came to, at once or in a coroutine that never really waits."""
    if isinstance(result, tuple):
        return result
    try:
        result.send(None)
    except StopIteration as stopped:
        return stopped.value
    raise AssertionError("it waited")


def test_the_empty_list_is_the_identity():
    """No handlers leave the very event and the very metadata."""
    event, metadata = new_event(), {"k": 1}
    result = run(chain([])(event, metadata, None))
    assert (event, metadata) == result
    assert result[0] is event


@given(handlers, handlers)
def test_concatenated_lists_compose(first, second):
    """Handling by a + b is handling by a, then by b."""

    def composed(event, metadata):
        event, metadata = run(chain(first)(event, metadata, None))
        return (None, metadata) if event is None else run(chain(second)(event, metadata, None))

    assert composed(new_event(), {}) == run(chain([*first, *second])(new_event(), {}, None))


@given(handlers, handlers)
def test_a_chain_is_a_handler(first, second):
    """A folded list may stand in another list in place of its handlers."""
    nested = chain([chain(first), chain(second)])
    assert run(chain([*first, *second])(new_event(), {}, None)) == run(nested(new_event(), {}, None))


@given(handlers, handlers)
def test_none_absorbs(before, after):
    """Nobody behind a handler that drops the event is called."""

    def must_not_run(event, metadata, connection):
        raise AssertionError("called after a drop")

    event, _ = run(chain([*before, dropping, must_not_run, *after])(new_event(), {}, None))
    assert event is None


@given(st.lists(st.sampled_from("abcdef"), max_size=10), st.booleans())
def test_order_is_kept(letters, is_async):
    """Handlers see the event in the order of the list."""
    event, _ = run(chain([appending(letter, is_async=is_async) for letter in letters])(new_event(), {}, None))
    assert "".join(letters) == event["seen"]


@given(handlers.filter(lambda hs: dropping not in hs))
def test_an_exception_names_the_handler_and_the_event(before):
    """What a handler raises leaves with a note that says who raised it, on what."""

    def raises(event, metadata, connection):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no") as caught:
        run(chain([*before, raises])(new_event(), {}, None))
    (note,) = caught.value.__notes__
    assert "raises" in note
    assert "the event x with the id e1" in note


@pytest.mark.parametrize("returned", [None, 5, {"type": "x"}, (1, 2, 3), ({"type": "x"},), ({"type": "x"}, None)])
def test_a_wrong_return_is_told_with_the_mend(returned):
    """A handler that returns anything but (event or None, metadata) is named, and told what to return."""

    def forgetful(event, metadata, connection):
        return returned

    with pytest.raises(HandlerError, match=r"forgetful returned .* end it with  return event, metadata"):
        run(chain([forgetful])(new_event(), {}, None))


class Middleware:
    def server_event_handler(self, event, metadata, connection):
        return event, metadata


@pytest.mark.parametrize(
    ("wrong", "mend"),
    [(Middleware(), "pass its .server_event_handler"), (3, "pass a function"), (None, "pass a function")],
)
def test_what_is_not_a_handler_is_refused_when_hooked(wrong, mend):
    """A list with something else than handlers in it is refused at once, with what to pass instead."""
    with pytest.raises(HandlerError, match=mend):
        chain([wrong])


def seeing(seen, name, *types):
    """Return a handler that notes what it was called for; for all types if none are named."""

    def handler(event, metadata, connection):
        seen.append((name, event["type"]))
        return event, metadata

    return for_types(types)(handler) if types else handler


def test_a_handler_is_called_for_its_types_only():
    """Who says which types it is for is called for no others; who does not is called for all, and order is kept."""
    seen = []
    folded = chain([seeing(seen, "a", "x", "y"), seeing(seen, "b"), seeing(seen, "c", "y")])
    for kind in ("x", "y", "z"):
        run(folded({"type": kind}, {}, None))
    assert seen == [("a", "x"), ("b", "x"), ("a", "y"), ("b", "y"), ("c", "y"), ("b", "z")]


@pytest.mark.parametrize("is_async", [False, True])
def test_an_event_made_one_of_another_type_goes_on_as_that(is_async):
    """Those behind who are for the new type see it, those for the old do not, and nobody in front sees it again."""
    seen = []

    def turn(event, metadata, connection):
        return {**event, "type": "y"}, metadata

    async def turn_later(event, metadata, connection):
        return turn(event, metadata, connection)

    folded = chain(
        [
            seeing(seen, "front", "y"),
            turn_later if is_async else turn,
            seeing(seen, "old", "x"),
            seeing(seen, "new", "y"),
            seeing(seen, "all"),
        ]
    )
    event, _ = run(folded({"type": "x"}, {}, None))
    assert event == {"type": "y"}
    assert seen == [("new", "y"), ("all", "y")]


def test_an_exception_behind_a_change_of_type_is_noted_once():
    """The note names the handler that raised, and no other."""

    def turn(event, metadata, connection):
        return {**event, "type": "y"}, metadata

    def fail(event, metadata, connection):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no") as caught:
        run(chain([turn, fail])({"type": "x", "event_id": "e"}, {}, None))
    (note,) = caught.value.__notes__
    assert "fail, on the event y" in note


def test_a_method_is_for_the_types_of_its_function():
    """A middleware's handler is hooked bound; one that overrides it sees all events."""
    seen = []

    class Watching:
        @for_types(["x"])
        def handler(self, event, metadata, connection):
            seen.append((type(self).__name__, event["type"]))
            return event, metadata

    class Curious(Watching):
        def handler(self, event, metadata, connection):
            return super().handler(event, metadata, connection)

    folded = chain([Watching().handler, Curious().handler])
    for kind in ("x", "z"):
        run(folded({"type": kind}, {}, None))
    assert seen == [("Watching", "x"), ("Curious", "x"), ("Curious", "z")]
