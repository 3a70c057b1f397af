"""Make the server events of a voice session: mostly audio deltas by size, mostly short events by number."""

import base64
import json
import random

TURNS = 10
BARGED_IN = (3, 7)
"""The turns whose answer is still sounding when the user speaks again."""
WORDS = (*"abcdefghij", "well", "think", "moment", "expect", "because")


def session(seed: int = 1) -> list[bytes]:
    """Return the frames of a ten-turn session; audio deltas hold 100 to 400 ms of 24 kHz PCM. Ids differ by seed."""
    return [frame for _, frame in timed_session(seed)]


def timed_session(seed: int = 1) -> list[tuple[float, bytes]]:
    """Return the frames with the seconds at which they are due: speech comes five times faster than it sounds."""
    rng = random.Random(seed)
    frames: list[tuple[float, bytes]] = []
    now = 0.0

    def put(kind: str, **fields: object) -> None:
        frame = {"type": kind, "event_id": f"event_{seed:04}_{len(frames)}", **fields}
        frames.append((now, json.dumps(frame, separators=(",", ":")).encode()))

    for turn in range(TURNS):
        user, item, response = f"item_u{seed:04}_{turn}", f"item_a{seed:04}_{turn}", f"resp_{seed:04}_{turn}"
        message = {"id": item, "type": "message", "role": "assistant", "status": "in_progress", "content": []}
        spoken = {
            "id": user,
            "type": "message",
            "role": "user",
            "status": "completed",
            "content": [{"type": "input_audio", "transcript": None}],
        }
        where = {"response_id": response, "item_id": item, "output_index": 0, "content_index": 0}
        answer = {"object": "realtime.response", "id": response, "status": "in_progress", "output": []}
        put("input_audio_buffer.speech_started", item_id=user, audio_start_ms=turn * 9000)
        now += 2.0
        put("input_audio_buffer.speech_stopped", item_id=user, audio_end_ms=turn * 9000 + 2000)
        put("input_audio_buffer.committed", item_id=user, previous_item_id=None)
        put("conversation.item.added", item=spoken, previous_item_id=None)
        put("conversation.item.done", item=spoken, previous_item_id=None)
        put("response.created", response=answer)
        for word in rng.choices(WORDS, k=9):
            now += 0.05
            put("conversation.item.input_audio_transcription.delta", item_id=user, content_index=0, delta=f" {word}")
        put("response.output_item.added", response_id=response, output_index=0, item=message)
        put("conversation.item.added", item=message, previous_item_id=user)
        put("response.content_part.added", **where, part={"type": "audio", "transcript": ""})
        text = rng.choices(WORDS, k=22)
        for word in text:
            put("response.output_audio_transcript.delta", **where, delta=f" {word}", obfuscation="x8Fq2")
            length_ms = rng.choice((100, 200, 300, 400))
            audio = rng.randbytes(2 * 24 * length_ms)
            put("response.output_audio.delta", **where, delta=base64.b64encode(audio).decode())
            now += length_ms / 1000 / 5
        put("response.output_audio.done", **where)
        put("response.output_audio_transcript.done", **where, transcript=" ".join(text))
        put("response.content_part.done", **where, part={"type": "audio", "transcript": " ".join(text)})
        done = {**message, "status": "completed"}
        put("conversation.item.done", item=done, previous_item_id=user)
        put("response.output_item.done", response_id=response, output_index=0, item=done)
        put("response.done", response={**answer, "status": "completed"})
        now += 1.0 if turn in BARGED_IN else 6.0
    return frames
