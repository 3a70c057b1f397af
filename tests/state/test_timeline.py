"""The timeline is a list in which one can insert behind an id, at no cost that grows."""

from hypothesis import given, settings
from hypothesis import strategies as st

from openai_realtime_api_utils.state.timeline import Timeline

ids = st.sampled_from("abcdefgh")
steps = st.lists(
    st.one_of(
        st.tuples(st.just("insert_after"), ids, ids),
        st.tuples(st.just("insert_first"), ids),
        st.tuples(st.just("append"), ids),
        st.tuples(st.just("remove"), ids),
    ),
    max_size=30,
)


def backwards(timeline):
    """Return the ids from last to first, by the other chain of links."""
    found, id_ = [], timeline._previous[None]
    while id_ is not None:
        found.append(id_)
        id_ = timeline._previous[id_]
    return found


@settings(deadline=None)
@given(steps)
def test_it_stays_a_permutation(steps):
    """Whatever is done, each id that was put in and not taken out is there once, in one order both ways."""
    timeline, there = Timeline(), set()
    for name, id_, *rest in steps:
        getattr(timeline, name)(id_, *rest)
        there = there - {id_} if name == "remove" else there | {id_}
        assert sorted(there) == sorted(timeline)
        assert list(timeline) == backwards(timeline)[::-1]
        assert len(there) == len(timeline)
        assert (next(iter(timeline), None)) == timeline.first


@settings(deadline=None)
@given(steps)
def test_nothing_is_kept_of_what_is_gone(steps):
    """When every id is taken out, nothing is left behind."""
    timeline = Timeline()
    for name, id_, *rest in steps:
        getattr(timeline, name)(id_, *rest)
    for id_ in "abcdefgh":
        timeline.remove(id_)
    assert ({None: None}, {None: None}, {}, {}) == (
        timeline._next,
        timeline._previous,
        timeline._named,
        timeline._waiting,
    )


@settings(deadline=None)
@given(steps)
def test_removing_twice_is_removing_once(steps):
    """Taking out what is not there changes nothing."""
    timeline = Timeline()
    for name, id_, *rest in steps:
        getattr(timeline, name)(id_, *rest)
    timeline.remove("a")
    once = list(timeline)
    timeline.remove("a")
    assert once == list(timeline)


@settings(deadline=None)
@given(st.lists(st.integers(0, 100), max_size=40))
def test_it_orders_as_a_list_does(positions):
    """New ids behind known ones, and at the beginning, come to stand where a list would have them."""
    timeline, expected = Timeline(), []
    for number, position in enumerate(positions):
        id_, at = str(number), position % (len(expected) + 1)
        if at == 0:
            timeline.insert_first(id_)
        else:
            assert timeline.insert_after(id_, expected[at - 1])
        expected.insert(at, id_)
    assert expected == list(timeline)


@settings(deadline=None)
@given(st.permutations([str(number) for number in range(8)]))
def test_arrival_in_any_order_gives_one_order(arrival):
    """Ids that each name the one before come to stand in a row, in whatever order they come."""
    timeline = Timeline()
    for id_ in arrival:
        if id_ == "0":
            timeline.insert_first(id_)
        else:
            timeline.insert_after(id_, str(int(id_) - 1))
    assert [str(number) for number in range(8)] == list(timeline)


def test_an_unknown_predecessor_is_told():
    """Who names a predecessor that is not there stands at the end, and the caller is told."""
    timeline = Timeline()
    timeline.append("a")
    assert timeline.insert_after("b", "nobody") is False
    assert ["a", "b"] == list(timeline)


def test_who_names_itself_stands_at_the_end():
    """An id cannot stand behind itself."""
    timeline = Timeline()
    timeline.append("a")
    assert timeline.insert_after("b", "b") is False
    assert ["a", "b"] == list(timeline)


def test_those_behind_one_that_waited_follow_it():
    """When the predecessor comes, the one that waited moves, with all that were put right behind it."""
    timeline = Timeline()
    timeline.append("a")
    timeline.insert_after("z", "a")
    timeline.insert_after("c", "b")
    timeline.insert_after("d", "c")
    timeline.insert_after("b", "a")
    assert ["a", "b", "c", "d", "z"] == list(timeline)


def test_predecessor_that_came_and_went():
    """Who followed it is no longer waiting for it, though another one is."""
    timeline = Timeline()
    timeline.insert_after("c", "b")
    timeline.insert_first("b")
    timeline.remove("b")
    timeline.insert_after("a", "b")
    timeline.insert_after("c", "a")
    assert list(timeline) == ["a", "c"]
