"""Unions whose members differ by tags go by their tags; all others stay as they are."""

import json
from typing import Literal

import pytest
from openai.types.realtime import ConversationItem
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import SchemaValidator

from openai_realtime_api_utils.events.discriminate import discriminated


class Cat(BaseModel):
    type: Literal["cat"]


class Dog(BaseModel):
    type: Literal["dog", "hound"]


class Said(BaseModel):
    type: Literal["message"]
    role: Literal["user"]


class Answered(BaseModel):
    type: Literal["message"]
    role: Literal["assistant"]


class Vague(BaseModel):
    type: Literal["vague"] | None = None


def schema_of(union):
    """Return what kind of schema a union becomes."""
    return discriminated(TypeAdapter(union).core_schema)["type"]


@pytest.mark.parametrize(
    ("union", "kind"),
    [
        (Cat | Dog, "tagged-union"),
        (Cat | Said | Answered, "tagged-union"),
        (Cat | Vague, "union"),
        (Said | Said, "model"),
        (Cat | str, "union"),
        (int | str, "union"),
    ],
)
def test_only_unions_with_required_tags_go_by_them(union, kind):
    """A member that may come without its tag, or is no model, leaves the union as it was."""
    assert schema_of(union) == kind


@pytest.mark.parametrize(
    ("sent", "model"),
    [
        ({"type": "cat"}, Cat),
        ({"type": "hound"}, Dog),
        ({"type": "message", "role": "user"}, Said),
        ({"type": "message", "role": "assistant"}, Answered),
    ],
)
def test_the_member_is_found_by_its_tags(sent, model):
    """First by the type, then, among messages, by the role."""
    validator = SchemaValidator(discriminated(TypeAdapter(list[Cat | Dog | Said | Answered]).core_schema))
    (found,) = validator.validate_json(json.dumps([sent]))
    assert type(found) is model


@pytest.mark.parametrize("sent", [{}, {"type": "cow"}, {"type": "message"}, {"type": None}, 3])
def test_what_is_none_of_them_is_refused(sent):
    """As the union itself would."""
    validator = SchemaValidator(discriminated(TypeAdapter(Cat | Dog | Said | Answered).core_schema))
    with pytest.raises(ValidationError):
        validator.validate_json(json.dumps(sent))


def test_the_sdks_items_go_by_their_tags():
    """What costs most to decode is what this is for."""
    assert schema_of(ConversationItem) == "tagged-union"
