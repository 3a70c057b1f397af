"""Hold the conversation: the library's own middlewares, hooked to the chosen server."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from ...clock import Clock
from ...hooked_session import hook_middlewares
from ...hooks import library_logger
from ...middlewares import (
    ArbitrateResponses,
    GiveClientEventId,
    Interrupt,
    StreamMic,
    TrackConfig,
    TrackConversation,
    interruptable_audio_player,
)
from ...state.playhead import Cut
from ..variables import environment
from . import resumed
from .director import Director
from .keys import keys
from .moments import Chose, Interrupted, Summary, Tell
from .narrate import Narrate, TellProblems
from .options import TalkOptions
from .save import SaveSession
from .sound import Sound, prepare
from .tools import find_tools, make_call_tools

_TRANSCRIBER = "gpt-realtime-whisper"
"""Transcribes while the user still speaks (recorded sessions)."""


async def talk(options: TalkOptions, clock: Clock, tell: Tell) -> None:
    """Hold one conversation, from the greeting to the answer to the last thing asked.

    Nothing is written before the server has answered: a wrong address costs no earlier recording.

    Raises:
        RealtimeUtilsError: it could not begin, or could not go on; the sentence says why.
    """
    variables = environment()
    with TellProblems(library_logger, tell), ExitStack() as stack:
        open_sound = prepare(options, clock, tell, stack)
        config, conversation, heard = TrackConfig(), TrackConversation(), resumed.Heard()
        greets = options.greeting and not resumed.is_begun(options, variables)
        connect = resumed.connect(
            options, variables, clock, tell, config=config, conversation=conversation, heard=heard
        )
        async with find_tools(options, clock, tell) as tools, connect as connection:
            save = stack.enter_context(SaveSession(options.save, clock)) if options.save else None
            sound = open_sound()
            options = replace(options, greeting=greets)
            await _converse(options, connection, sound, tools, save, clock, tell, config, conversation, heard)


async def _converse(
    options: TalkOptions,
    connection: Any,
    sound: Sound,
    tools: list[Any],
    save: SaveSession | None,
    clock: Clock,
    tell: Tell,
    config: TrackConfig,
    conversation: TrackConversation,
    heard: resumed.Heard,
) -> None:
    def tell_cuts(cuts: Iterable[Cut]) -> None:
        for cut in cuts:
            narrate.cut(cut.speech_id.item_id)
            item = conversation.item(cut.speech_id.item_id)
            tell(Interrupted(cut.speech_id.item_id, cut.heard_ms, (item.heard_text if item else None) or ""))

    with ExitStack() as stack:
        iap = stack.enter_context(
            interruptable_audio_player(
                config, conversation, sound.speaker, on_interrupt_handlers=[tell_cuts], clock=clock
            )
        )
        heard.player = iap.audio_player
        if save:
            stack.callback(lambda: save.write_transcript(conversation.transcript()))
        mic = StreamMic(
            sound.microphone,
            gate="push_to_talk" if options.push_to_talk else "open",
            clock=clock,
            recording_path=save.microphone_path if save else None,
        )
        narrate = Narrate(config, conversation, iap.audio_player, stack.enter_context(mic), tell, sound.host)
        stack.callback(lambda: tell(_summary(options, narrate, iap.audio_player.heard_s, sound.files)))
        calls = make_call_tools(tools, options, conversation, iap.audio_player, clock, tell)
        calling = [ArbitrateResponses(clock=clock), calls] if tools else []
        watching = [iap, mic, narrate, *([save] if save else [])]
        middlewares = [GiveClientEventId(), *calling, config, conversation, *watching]
        async with hook_middlewares(connection, middlewares, clock=clock) as session:
            gc.collect()
            gc.freeze()  # a full collection of all that was imported would hold up speech by some 60 ms
            await session.send(_session_update(options))
            if options.greeting:
                await session.send({"type": "response.create"})
            session.send.spawn(narrate.keep_looking(clock), name="the narrator")
            if sound.recording is not None:
                director = Director(
                    sound.recording,
                    narrate,
                    conversation,
                    clock,
                    greeting=options.greeting,
                    is_working=lambda: bool(calls.running),
                )
                session.send.spawn(director.run(connection.close), name="the end of the conversation")
            if options.push_to_talk:
                stack.enter_context(keys(TalkKey(mic, iap.interrupt).pressed))
                tell(Chose("turns", "press space to talk, and again when you are done", "--push-to-talk"))
            elif sound.host is not None:
                sound.host.local_vad.register_handler(iap.interrupt.set_is_user_talking)
            await session.closed


class TalkKey:
    """Press and release the talk key with one key of the terminal, which tells only that it was pressed."""

    def __init__(self, mic: StreamMic, interrupt: Interrupt) -> None:
        self._mic = mic
        self._interrupt = interrupt

    def pressed(self, key: str) -> None:
        """Take a key."""
        if key != " ":
            return
        if self._mic.is_pressed:
            self._interrupt.set_is_user_talking(False)
            self._mic.release()
        else:
            self._interrupt.set_is_user_talking(True)
            self._mic.press()


def _session_update(options: TalkOptions) -> dict[str, Any]:
    audio: dict[str, Any] = {"input": {"transcription": {"model": _TRANSCRIBER}}}
    if options.push_to_talk:
        audio["input"]["turn_detection"] = None
    if options.voice is not None:
        audio["output"] = {"voice": options.voice}
    session: dict[str, Any] = {"type": "realtime", "audio": audio}
    if options.instructions is not None:
        session["instructions"] = options.instructions
    return {"type": "session.update", "session": session}


def _summary(options: TalkOptions, narrate: Narrate, heard_s: float, files: Iterable[str]) -> Summary:
    usage = narrate.usage
    return Summary(
        turns=narrate.turn.answered,
        user_audio_s=narrate.user_audio_ms / 1000,
        assistant_audio_s=round(heard_s, 2),
        tokens_in=usage.input_tokens,
        tokens_out=usage.output_tokens,
        files=[*files, *([str(options.save)] if options.save else [])],
    )
