"""Read the command line and run the command."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ..errors import RealtimeUtilsError
from ..events import redact_text, visible
from .talk.options import DEFAULT_MODEL, DEFAULT_OUTPUT, TalkOptions

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Voice applications on OpenAI's Realtime API: talk to a model, or simulate the service.",
)

ChatUrl = Annotated[
    str | None,
    typer.Option(help="Let an OpenAI-compatible chat endpoint think for the simulator, e.g. http://127.0.0.1:8000/v1"),
]
ChatModel = Annotated[str | None, typer.Option(help="The model to ask for at --chat-url.")]


def run(arguments: list[str]) -> int:
    """Run the command; return its exit code. What went wrong is told in one sentence."""
    try:
        app(arguments, prog_name="realtime")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except RealtimeUtilsError as error:
        print(f"realtime: {visible(redact_text(str(error)))}", file=sys.stderr)
        return 1
    return 0


@app.command()
def talk(
    input: Annotated[  # noqa: A002
        Path | None, typer.Option(help="A WAV file that is played in as the microphone, in real time.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help=f"A WAV file that takes the assistant's voice; {DEFAULT_OUTPUT} without devices."),
    ] = None,
    save: Annotated[Path | None, typer.Option(help="A folder for the events, the transcript and the sound.")] = None,
    model: Annotated[str, typer.Option(help="The realtime model.")] = DEFAULT_MODEL,
    voice: Annotated[str | None, typer.Option(help="The assistant's voice, e.g. marin.")] = None,
    instructions: Annotated[str | None, typer.Option(help="What the assistant is told to be.")] = None,
    url: Annotated[str | None, typer.Option(help="Another server, e.g. ws://127.0.0.1:8080/v1")] = None,
    chat_url: ChatUrl = None,
    chat_model: ChatModel = None,
    greeting: Annotated[bool, typer.Option(help="Let the assistant speak first.")] = True,
    fast: Annotated[
        bool, typer.Option("--fast", help="Run as fast as possible; with the local simulator only.")
    ] = False,
    microphone: Annotated[str | None, typer.Option(help="A microphone: its number or a part of its name.")] = None,
    loudspeaker: Annotated[str | None, typer.Option(help="A loudspeaker: its number or a part of its name.")] = None,
    echo_cancellation: Annotated[
        bool, typer.Option(help="Take the assistant's voice out of the microphone; not needed with headphones.")
    ] = True,
    push_to_talk: Annotated[bool, typer.Option("--push-to-talk", help="Talk between two presses of space.")] = False,
    tools: Annotated[
        list[str] | None,
        typer.Option(help="A module, or the path of a Python file, whose functions the model may call; repeatable."),
    ] = None,
    mcp: Annotated[
        list[str] | None,
        typer.Option(help="An MCP server whose tools the model may call: a command line, or an address; repeatable."),
    ] = None,
    approve: Annotated[
        bool, typer.Option("--approve", help="Approve every call that needs approval; without it they are refused.")
    ] = False,
    resume: Annotated[
        str | None, typer.Option(help="Keep the conversation under this name, or go on with it; no drop ends it.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")] = False,
) -> None:
    """Talk to a realtime model: OpenAI's with OPENAI_API_KEY set, else the local simulator.

    With no microphone, or with --input or --output, a recorded question is played in, and the answer is written to a
    WAV file.
    """
    from .talk.run import run_talk

    options = TalkOptions(
        input=input,
        output=output,
        save=save,
        model=model,
        voice=voice,
        instructions=instructions,
        url=url,
        chat_url=chat_url,
        chat_model=chat_model,
        greeting=greeting,
        fast=fast,
        microphone=_device(microphone),
        loudspeaker=_device(loudspeaker),
        echo_cancellation=echo_cancellation,
        push_to_talk=push_to_talk,
        resume=resume,
        tools=tuple(tools or ()),
        mcp=tuple(mcp or ()),
        approve=approve,
    )
    run_talk(options, as_json=json)


@app.command()
def simulate(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on; 0 takes a free one.", min=0, max=65535)] = 8080,
    chat_url: ChatUrl = None,
    chat_model: ChatModel = None,
    scenario: Annotated[
        Path | None, typer.Option(help="A scenario that says what is heard and answered: a dialogue or a recording.")
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(help="What goes wrong, e.g. latency=0.2 or close=response.done:1011; repeatable; see the docs."),
    ] = None,
    pace: Annotated[float, typer.Option(help="Seconds of speech that are sent in one second.", min=0.01)] = 4.0,
    lifetime: Annotated[float, typer.Option(help="How long a session lives, in seconds.", min=1)] = 3600.0,
    api_key: Annotated[
        str | None, typer.Option(help="The key that clients must bring; safer in the variable SIMULATOR_API_KEY.")
    ] = None,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Let other machines in, with a key, if --host is not this machine's.")
    ] = False,
    certificate: Annotated[
        Path | None, typer.Option(help="A PEM file with a certificate and its key; clients then connect to wss://.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print every frame, one JSON object per line.")] = False,
) -> None:
    """Serve the Realtime API on this machine, with no key and no network. Ctrl-C ends it."""
    from .simulate import SimulateOptions, run_simulate

    options = SimulateOptions(
        host=host,
        port=port,
        chat_url=chat_url,
        chat_model=chat_model,
        scenario=scenario,
        fault=tuple(fault or ()),
        api_key=api_key,
        allow_remote=allow_remote,
        pace=pace,
        lifetime=lifetime,
        certificate=certificate,
    )
    run_simulate(options, as_json=json)


@app.command()
def devices(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the microphones and loudspeakers of this machine."""
    from .devices import show_devices

    show_devices(as_json=json)


@app.command()
def doctor(
    microphone: Annotated[str | None, typer.Option(help="A microphone: its number or a part of its name.")] = None,
    loudspeaker: Annotated[str | None, typer.Option(help="A loudspeaker: its number or a part of its name.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Try the sound devices out: round trip, echo, how well it is cancelled, and what to do about it."""
    from .doctor import run_doctor

    run_doctor(microphone=_device(microphone), loudspeaker=_device(loudspeaker), as_json=json)


def _device(given: str | None) -> int | str | None:
    return int(given) if given is not None and given.isdecimal() else given
