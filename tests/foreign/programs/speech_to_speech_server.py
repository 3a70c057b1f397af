"""Serve speech-to-speech's Realtime API with rules in the place of its models; runs in that package's environment.

python speech_to_speech_server.py      # prints its port; ends when its standard input is closed

Loud input is speech; every utterance is "what is the weather"; every answer is "It is sunny." and two seconds of a
tone, made a little faster than it sounds.
"""

import socket
import sys
import threading
import time
from queue import Queue

import numpy as np
import uvicorn
from speech_to_speech.api.openai_realtime.pipeline_unit import PipelineUnit
from speech_to_speech.api.openai_realtime.service import RealtimeService
from speech_to_speech.api.openai_realtime.websocket_router import create_app
from speech_to_speech.pipeline.cancel_scope import CancelScope
from speech_to_speech.pipeline.control import PipelineControlMessage
from speech_to_speech.pipeline.events import (
    AssistantOutputEvent,
    AssistantResponseDoneEvent,
    SpeechStartedEvent,
    SpeechStoppedEvent,
    TranscriptionCompletedEvent,
)
from speech_to_speech.pipeline.messages import AUDIO_RESPONSE_DONE, AudioOutput

RATE = 16_000
LOUD = 500
SILENCE_S = 0.3
ANSWER_S = 2.0
SESSIONS = 8
CHUNK_TAKES_S = 0.08


def listen(unit: PipelineUnit) -> None:
    """Tell speech from silence in what the client sends, for ever."""
    heard, silent, is_speaking = 0, 0.0, False
    while True:
        item = unit.input_queue.get()
        if isinstance(item, PipelineControlMessage):
            unit.output_queue.put(item)
            heard, silent, is_speaking = 0, 0.0, False
            continue
        samples = np.frombuffer(item[0], np.int16)
        heard += len(samples)
        at_ms = heard * 1000 // RATE
        is_loud = len(samples) > 0 and int(np.abs(samples.astype(int)).max()) > LOUD
        silent = 0.0 if is_loud else silent + len(samples) / RATE
        if is_loud and not is_speaking:
            is_speaking = True
            unit.text_output_queue.put(SpeechStartedEvent(audio_start_ms=at_ms))
        elif is_speaking and silent > SILENCE_S:
            is_speaking = False
            unit.text_output_queue.put(SpeechStoppedEvent(audio_end_ms=at_ms, duration_s=1.0))
            unit.text_output_queue.put(TranscriptionCompletedEvent(transcript="what is the weather"))


def answer(unit: PipelineUnit) -> None:
    """Answer each request for a response, for ever."""
    tone = (8_000 * np.sin(2 * np.pi * 220 * np.arange(int(RATE * ANSWER_S)) / RATE)).astype(np.int16)
    while True:
        request = unit.text_prompt_queue.get()
        key = getattr(request, "response_key", None)
        generation = unit.cancel_scope.generation
        whose = {"response_key": key, "cancel_generation": generation}
        unit.output_queue.put(AssistantOutputEvent(text="It is sunny.", **whose))
        for at in range(0, len(tone), RATE // 10):
            unit.output_queue.put(AudioOutput(audio=tone[at : at + RATE // 10], **whose))
            time.sleep(CHUNK_TAKES_S)
        unit.output_queue.put(AssistantResponseDoneEvent(**whose))
        unit.output_queue.put(AudioOutput(audio=AUDIO_RESPONSE_DONE, **whose))


def make_unit(index: int) -> PipelineUnit:
    prompts, listening = Queue(), threading.Event()
    listening.set()
    return PipelineUnit(
        index=index,
        service=RealtimeService(text_prompt_queue=prompts, should_listen=listening),
        cancel_scope=CancelScope(),
        should_listen=listening,
        response_playing=threading.Event(),
        input_queue=Queue(),
        output_queue=Queue(),
        text_output_queue=Queue(),
        text_prompt_queue=prompts,
        handlers=[],
    )


def main() -> None:
    units = [make_unit(index) for index in range(SESSIONS)]
    for unit in units:
        for work in (listen, answer):
            threading.Thread(target=work, args=(unit,), daemon=True).start()
    stop = threading.Event()
    server = uvicorn.Server(uvicorn.Config(create_app(pool=units, stop_event=stop), log_level="warning"))
    listener = socket.create_server(("127.0.0.1", 0))

    def watch() -> None:
        sys.stdin.read()
        stop.set()
        server.should_exit = True

    threading.Thread(target=watch, daemon=True).start()
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    server.run(sockets=[listener])


main()
