"""Turn what goes wrong outside into one sentence for a person."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from ..errors import ConnectionLost, RealtimeUtilsError
from ..events import redact_text


class CommandError(RealtimeUtilsError):
    """End a command with one sentence and exit code 1."""


@contextmanager
def connecting(where: str) -> Generator[None]:
    """Say in one sentence why a server could not be reached.

    Raises:
        CommandError: in place of whatever the SDK or the WebSocket library raised.
    """
    from openai import OpenAIError
    from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI

    try:
        yield
    except InvalidStatus as error:
        status = error.response.status_code
        advice = {401: "check the API key", 403: "this key may not use it", 404: "check the address and the model"}
        raise CommandError(f"{where} refused the connection with HTTP {status}: {_advice(advice, status)}.") from error
    except InvalidURI as error:
        raise CommandError(f"{where} is not the address of a server: write it like ws://127.0.0.1:8080/v1") from error
    except (InvalidHandshake, ConnectionLost) as error:
        raise CommandError(f"{where} does not speak the Realtime API: {error}") from error
    except TimeoutError as error:
        raise CommandError(f"{where} did not answer in time: check the address and the network.") from error
    except (OSError, OpenAIError, ValueError) as error:
        reason = redact_text(str(getattr(error, "strerror", None) or error))
        raise CommandError(f"{where} cannot be reached ({reason}): check the address and the network.") from error


def _advice(by_status: dict[int, str], status: int) -> str:
    return by_status.get(status, "try again later")
