"""The laws of the chain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_realtime_api_utils.chain import chain
from openai_realtime_api_utils.errors import HandlerError


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


def run(coroutine):
    """Run a coroutine that never really waits."""
    try:
        coroutine.send(None)
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
