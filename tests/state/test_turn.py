"""Who has the floor, and how long an answer took."""

from openai_realtime_api_utils.state.turn import Floor, Turn


def test_a_turn_is_answered_after_its_latency():
    """The wait counts from the end of speech, not from the event that told of it half a second later."""
    turn = Turn().user_started()
    assert turn.floor is Floor.USER
    turn = turn.user_stopped(10.5, silence_s=0.5)
    assert turn.floor is Floor.NOBODY
    turn = turn.audio_received(11.2).sounding(True)
    assert (turn.floor, turn.latency_s, turn.answered) == (Floor.ASSISTANT, 11.2 - 10.0, 1)


def test_later_audio_does_not_count_again():
    """Only the first audio answers the turn."""
    turn = Turn().user_started().user_stopped(1).audio_received(2)
    assert turn.audio_received(3) == turn


def test_a_greeting_answers_nothing():
    """Audio before anybody spoke has no latency."""
    turn = Turn().audio_received(1).sounding(True)
    assert (turn.floor, turn.latency_s, turn.answered) == (Floor.ASSISTANT, None, 0)


def test_the_user_takes_the_floor_from_the_assistant():
    """Barging in: the floor is the user's although the last sound is still going out."""
    turn = Turn().sounding(True).user_started()
    assert turn.floor is Floor.USER
    assert turn.sounding(False).floor is Floor.USER


def test_after_a_false_interruption_the_assistant_goes_on():
    """Speech that goes on sounding after the user stopped has the floor again."""
    assert Turn().sounding(True).user_started().user_stopped(1).floor is Floor.ASSISTANT


def test_silence_is_nobodys():
    """When the assistant has sounded to the end, nobody has the floor."""
    assert Turn().sounding(True).sounding(False).floor is Floor.NOBODY
