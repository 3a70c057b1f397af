"""What a model is told of results and failures: bounded, useful, and no secret."""

from dataclasses import dataclass
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from openai_realtime_api_utils import ToolError
from openai_realtime_api_utils.tools.failure import told_to_model
from openai_realtime_api_utils.tools.result import LONGEST, as_output


class Model(BaseModel):
    x: int = 1


@dataclass
class Data:
    when: date


@pytest.mark.parametrize(
    ("value", "output"),
    [
        ("as it stands", "as it stands"),
        (None, "Done."),
        (3, "3"),
        ([1, None, float("nan")], "[1,null,null]"),
        ({"a": Model()}, '{"a":{"x":1}}'),
        (Data(date(2026, 1, 2)), '{"when":"2026-01-02"}'),
        ("ä", "ä"),
    ],
)
def test_results_are_written_down(value, output):
    """Text as it is, anything else as JSON."""
    assert as_output(value, "f") == output


@pytest.mark.parametrize(
    ("value", "kind"), [(object(), "a object"), ({"a": object()}, "a dict that holds a object"), ([open], "a list")]
)
def test_what_is_no_json_is_named_with_its_type(value, kind):
    """To the log with the mend, to the model without."""
    with pytest.raises(ToolError, match=f"f returned {kind}") as error:
        as_output(value, "f")
    assert kind in error.value.for_model


def test_a_value_that_holds_itself_is_told():
    """It does not end in a stack overflow."""
    endless = []
    endless.append(endless)
    with pytest.raises(ToolError):
        as_output(endless, "f")


@pytest.mark.parametrize("value", ["x" * 5_000_000, ["y" * 5_000_000]])
def test_five_megabytes_are_bounded_and_the_model_told(value):
    """The beginning, and how much there was."""
    output = as_output(value, "f")
    assert len(output) < LONGEST + 100
    assert f"{len(value) if isinstance(value, str) else 5_000_004:,} characters" in output


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ToolError("Ask for another city."), "Ask for another city."),
        (ToolError("for the log", for_model="for the model"), "for the model"),
        (ValueError("no such city: Pars"), "ValueError: no such city: Pars"),
        (KeyError("city"), "KeyError: 'city'"),
        (RuntimeError(), "RuntimeError"),
        (RuntimeError("first\nFile x.py, line 3"), "RuntimeError: first"),
        (SystemExit(3), "The tool tried to end the program."),
        (ValueError("401 for sk-abcdef123456"), "ValueError: 401 for <secret>"),
        (OSError("postgres://bob:hunter2@db/x failed"), "OSError: postgres://<secret>@db/x failed"),
        (ValueError("Authorization: Bearer abc.def"), "ValueError: Authorization: <secret> <secret>"),
        (ValueError("password=hunter2 is wrong"), "ValueError: password=<secret> is wrong"),
        (ValueError("token a1B2c3D4e5F6g7H8i9J0k1L2m3"), "ValueError: token <secret>"),
    ],
)
def test_failures_are_told_without_secrets(error, told):
    """A tool's own words as they stand; of others the first line, scrubbed."""
    assert told_to_model(error) == told


@given(st.text(min_size=301))
def test_no_failure_is_told_at_length(text):
    """However much an exception has to say."""
    assert len(told_to_model(ValueError(text))) <= len("ValueError: ") + 300
