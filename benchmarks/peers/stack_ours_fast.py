"""This library over fast_connect, on uvloop."""

from typing import Any

import stack_ours
import uvloop
from stack_ours import begin

from openai_realtime_api_utils import fast_connect


def connect(client: Any) -> Any:
    return fast_connect(client.realtime.connect, model="gpt-realtime")


stack_ours.connect = connect


__all__ = ["begin", "loop_factory"]


def loop_factory() -> Any:
    return uvloop.new_event_loop
