"""Offer functions to the model, run what it calls, and answer it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from ..clock import Clock, SystemClock
from ..errors import ToolError
from ..handlers import Metadata
from ..ports import Send
from ..state.call_answers import output_item, report_item
from ..state.calls import Round
from ..state.reading import plain_dict, read, read_id, read_list, read_text
from ..tools.context import ToolContext
from ..tools.mcp_server import McpServer
from ..tools.offered import Offered
from ..tools.runner import Approve, CallRecord, Outcome, ToolRunner
from ..tools.tool import Tool
from .follow_up import FollowUp
from .registered_send import registered
from .remote_mcp import RemoteMcp

if TYPE_CHECKING:
    from .audio_player import AudioPlayer
    from .track_conversation import TrackConversation

_REMEMBERED = 256
"""How many ids of each kind are remembered; the oldest are forgotten."""

_LOOK_S = 0.05
"""How often to look whether speech has sounded to its end."""

_RECEIPT = (
    "Started. It runs in the background, and its result will follow by itself: do not wait, and do not call again."
)
_INTERRUPTED = "The call was cancelled, for the user began to speak."
_UNHEARD = "The call was not made, for the user interrupted what was said before it."

_logger = logging.getLogger(__name__)


class _Running(NamedTuple):
    """Be a call that is under way."""

    tool: Tool
    task: Any
    record: CallRecord
    begun: float


class CallTools:
    """Make tools of functions, and answer the model's calls of them.

    Hook both handlers. Nothing a tool does holds up the session: functions run in threads of their own, coroutines as
    tasks, each within its time; what fails is answered in words that the model can act on. When all calls of a response
    are answered, the model is asked to go on, once.
    """

    def __init__(
        self,
        tools: Iterable[Callable[..., Any] | Tool | McpServer],
        *,
        track_conversation: TrackConversation | None = None,
        audio_player: AudioPlayer | None = None,
        timeout_s: float = 30,
        max_parallel: int = 8,
        approve: Approve | None = None,
        on_call: Iterable[Callable[[CallRecord], object]] = (),
        clock: Clock | None = None,
    ) -> None:
        """Make tools.

        Args:
            tools: functions, or what ``tool`` made of them with options; an MCP server stands for all its tools, also
                for those that it has later.
            track_conversation: is shown to tools that ask for a ``ToolContext``, and is what out-of-band calls know.
            audio_player: tells when speech has been heard, for ``after_speech``, and when it is quiet, for
                ``background``; without it, speech counts as heard when it has been received.
            timeout_s: how long a call may run, unless its tool says otherwise.
            max_parallel: how many calls may run at a time; others wait for their turn.
            approve: is asked before calls of tools that need approval, and of MCP tools that the service would call.
            on_call: are told of every call when it begins and when it has ended.
            clock: the machine's own by default.

        Raises:
            ToolError: one of them cannot be a tool, two have one name, or approval is needed and nobody can give it.
        """
        self._tools = Offered(tools)
        unapproved = [tool.name for tool in self._tools.by_name.values() if tool.needs_approval]
        if unapproved and approve is None:
            raise ToolError(
                f"The tool {unapproved[0]} needs approval: say who gives it with  CallTools(..., approve=f)"
            )
        self._clock = clock or SystemClock()
        self._runner = ToolRunner(timeout_s=timeout_s, max_parallel=max_parallel, approve=approve, clock=self._clock)
        self._conversation = None if track_conversation is None else track_conversation.state
        self._audio_player = audio_player
        self._on_call = tuple(on_call)
        self._follow_up = FollowUp(self._clock, self._conversation, lambda: self._is_speaking)
        self._remote = RemoteMcp(self._follow_up, self._runner, approves=approve is not None)
        self._send: Send | None = None
        self._offered: asyncio.Event | None = None
        self._running: dict[str, _Running] = {}
        self._truncated: dict[str, None] = {}

    @property
    def tools(self) -> list[dict[str, Any]]:
        """The tools as a session's ``tools`` have them, for those who send them by themselves."""
        return self._tools.definitions

    @property
    def running(self) -> tuple[str, ...]:
        """The ids of the calls that are under way."""
        return tuple(self._running)

    def answers(self, name: str) -> bool:
        """Tell whether calls of a function are answered here: all but those that the user offered without its help."""
        return self._tools.answers(name)

    def register_send_with_handlers(self, send: Send) -> None:
        """Take the ``send`` of ``hook_handlers``, and offer the tools."""
        self._send = self._follow_up.send = send.by("CallTools")
        self._offered = asyncio.Event()
        self._send.spawn(self._offer(self._offered), name="offer the tools")
        for server in self._tools.servers:
            self._send.spawn(self._follow(server), name=f"follow the tools of {server.name}")

    def barge_in(self) -> None:
        """Cancel the calls that end when the user begins to speak, as the server's ``speech_started`` does."""
        for running in tuple(self._running.values()):
            if running.tool.cancel_on_barge_in:
                running.task.cancel()
                outcome = Outcome("cancelled", _INTERRUPTED)
                self._record(running.record, outcome, running.begun)
                if not running.tool.background:  # that has its answer
                    answering = self._answer(running.record, outcome, is_continued=False)
                    self._spawn(answering, f"cancel {running.record.call_id}")

    async def client_event_handler(self, event: Any, metadata: Metadata, connection: object) -> tuple[Any, Metadata]:
        """Put the tools into session updates, and learn how responses are asked for."""
        match event["type"]:
            case "session.update":
                event = self._tools.put_into(event)
            case "response.create" if self._offered is not None:
                await self._offered.wait()  # for the length of one send: a response knows the tools offered before it
            case "conversation.item.truncate":
                self._truncated[str(event.get("item_id"))] = None
                _forget_oldest(self._truncated)
            case _:
                pass
        return self._follow_up.client_event(event), metadata

    def server_event_handler(self, event: Any, metadata: Metadata, connection: object) -> tuple[Any, Metadata]:
        """Run calls when they are complete; take out refusals that are made up for."""
        if self._follow_up.server_event(event, metadata):
            event = None
        else:
            self._look_at(event)
        self._follow_up.go_on()
        return event, metadata

    def _look_at(self, event: Any) -> None:
        match event.type:
            case "response.output_item.done":
                self._made(plain_dict(read(event, "item")), read_id(event, "response_id"))
            case "response.done":
                response = read(event, "response")
                for item in read_list(response, "output"):  # of servers that do not tell items by themselves
                    self._made(plain_dict(item), read_id(response, "id"))
            case "input_audio_buffer.speech_started":
                self.barge_in()
            case _:
                self._remote.server_event(event)

    def _made(self, item: dict[str, Any], response_id: str | None) -> None:
        """Take what a response has made."""
        if response_id is None:
            return
        found = self._follow_up.calls.open_round(response_id)
        match read_text(item, "type"):
            case "message" if found is not None:
                found.item_ids.add(read_id(item, "id") or "")
            case "function_call" if read_text(item, "status") in (None, "completed"):
                self._called(item, response_id)
            case _:
                self._remote.made(item, response_id)

    def _called(self, item: dict[str, Any], response_id: str) -> None:
        call_id, name = read_id(item, "call_id"), read_text(item, "name") or ""
        if call_id is None or not self.answers(name) or not self._follow_up.calls.begin(response_id, call_id):
            return
        record = CallRecord(call_id, name, read_text(item, "arguments") or "")
        self._tell(record)
        found = self._follow_up.calls.round(response_id)
        tool = self._tools.by_name.get(name)
        begun = self._clock.now()
        if tool is None:
            told = f"There is no tool {name!r}. There are: {', '.join(self._tools.by_name) or 'none'}."
            _logger.warning("The model called a tool that is not there: %s", name)
            self._spawn(self._ended(record, Outcome("failed", told, ToolError(told)), begun), f"refuse {call_id}")
            return
        if self._send is None:
            _logger.warning("The call %s of %s is not run: send was not registered with CallTools.", call_id, name)
            return
        context = ToolContext(
            call_id=call_id,
            name=name,
            arguments=record.arguments,
            send=self._send,
            conversation=self._conversation,
            response_id=response_id,
            is_out_of_band=found.is_out_of_band,
            loop=asyncio.get_running_loop(),
        )
        is_background = tool.background and not found.is_out_of_band
        task = self._send.spawn(self._run(tool, context, found, record, begun, is_background=is_background), name=name)
        self._running[call_id] = _Running(tool, task, record, begun)

    async def _run(
        self, tool: Tool, context: ToolContext, found: Round, record: CallRecord, begun: float, *, is_background: bool
    ) -> None:
        if is_background:
            item = output_item(context.call_id, _RECEIPT)
            await self._follow_up.answer(context.call_id, item, is_continued=True)
        outcome = await self._runner.run(tool, context, lambda: self._may_start(tool, found))
        if not is_background:
            await self._ended(record, outcome, begun)
            return
        self._record(record, outcome, begun)
        await self._follow_up.report(report_item(record.name, record.call_id, outcome.output))

    async def _ended(self, record: CallRecord, outcome: Outcome, begun: float) -> None:
        self._record(record, outcome, begun)
        await self._answer(record, outcome)

    async def _answer(self, record: CallRecord, outcome: Outcome, *, is_continued: bool = True) -> None:
        item = output_item(record.call_id, outcome.output)
        found = self._follow_up.calls.round_of(record.call_id)
        if found is not None and found.is_out_of_band:  # there is no such call in the conversation (reported)
            self._follow_up.calls.end(record.call_id, item, is_continued=is_continued)
            self._follow_up.go_on()
        else:
            await self._follow_up.answer(record.call_id, item, is_continued=is_continued)

    async def _may_start(self, tool: Tool, found: Round) -> str | None:
        """Wait for the speech before the call, where the tool wants it heard; say why it is not to be made, if so."""
        if not tool.after_speech:
            return None
        while found.status is None or self._is_speaking:
            await self._clock.sleep_until(self._clock.now() + _LOOK_S)
        await self._clock.sleep_until(self._clock.now() + _LOOK_S)  # whoever cut the speech tells the server by now
        return _UNHEARD if found.status == "cancelled" or found.item_ids & self._truncated.keys() else None

    @property
    def _is_speaking(self) -> bool:
        return self._audio_player is not None and self._audio_player.is_speaking

    async def _offer(self, offered: asyncio.Event) -> None:
        try:
            await self._offer_again()
        finally:
            offered.set()

    async def _follow(self, server: McpServer) -> None:
        """Offer what a server has, whenever that has changed."""
        changed = server.changed
        while True:
            await changed.wait()
            changed = server.changed
            await self._offer_again()

    async def _offer_again(self) -> None:
        self._tools.look_again()
        await self._follow_up.tell({"type": "session.update", "session": {"type": "realtime"}})

    def _record(self, record: CallRecord, outcome: Outcome, begun: float) -> None:
        self._running.pop(record.call_id, None)
        seconds = round(self._clock.now() - begun, 3)
        ended = {"status": outcome.ending, "output": outcome.output, "seconds": seconds, "error": outcome.error}
        self._tell(replace(record, **ended))

    def _tell(self, record: CallRecord) -> None:
        for tell in self._on_call:
            tell(record)

    def _spawn(self, work: Any, name: str) -> None:
        registered(self._send, "CallTools").spawn(work, name=name)


def _forget_oldest(remembered: dict[str, None]) -> None:
    if len(remembered) > _REMEMBERED:
        del remembered[next(iter(remembered))]
