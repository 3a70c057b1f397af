"""What a new session is not given keeps its place in the conversation all the same."""

import numpy as np

from simulated import loud, quiet
from talking import HEARS, STORY, spoken


def test_new_items_come_after_those_that_the_session_knows_nothing_of():
    """An answer of which nobody heard a word is not restored; what is said after it stands after it."""
    cuts = []

    def cut(event):
        if event["type"] == "response.output_audio.delta" and not cuts:
            cuts.append(1)
            return 1006
        return None

    def without_words(event):
        is_late = event["type"] == "response.output_audio_transcript.delta" and not cuts
        return None if is_late else event

    async def program(talk, engine, exchange, user):
        async with talk.held(*user.hooked, heard=user.player):
            await talk.send({"type": "session.update", "session": HEARS})
            user.microphone.say(np.concatenate((loud(1), quiet(60))))
            await talk.events.until("response.done", 2)
            await talk.wait(20)
            user.microphone.say(np.concatenate((loud(1), quiet(60))))
            await talk.wait(30)
            return talk

    def late_cut(event):
        sounds.append(event["type"] == "response.output_audio.delta")
        return cut(event) if sum(sounds) > 3 else None

    sounds = []
    talk = spoken(program, [STORY, "Yes.", "Indeed."], ["one", "two"], cut=late_cut, change=without_words)
    items = [(item.role, item.text) for item in talk.conversation.items]
    assert [("user", "one"), ("assistant", ""), ("assistant", "Yes.")] == items[:3]
