"""Fill in the arguments that a function requires and nobody gave, so that a forced call is a whole one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

_DEEPEST = 8
"""How far a schema is followed into itself."""


def filled(arguments: Mapping[str, Any], schema: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the arguments with every required one there; those made up fit the schema but for its patterns."""
    return _object(dict(arguments), schema or {}, schema or {}, 0)


def _object(value: dict[str, Any], schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> dict[str, Any]:
    properties: Mapping[str, Any] = schema.get("properties") or {}
    for name in schema.get("required") or ():
        inner = properties.get(name, {})
        if name not in value:
            value[name] = _example(name, inner, root, depth + 1)
        elif isinstance(value[name], dict) and isinstance(inner, Mapping):
            value[name] = _object(value[name], cast("Mapping[str, Any]", inner), root, depth + 1)
    return value


def _example(name: str, schema: Any, root: Mapping[str, Any], depth: int) -> Any:
    """Make up a value."""
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return None
    rules = _resolved(cast("Mapping[str, Any]", schema), root)
    for known in ("const", "default"):
        if known in rules:
            return rules[known]
    for several in ("enum", "examples"):
        if rules.get(several):
            return rules[several][0]
    for choice in ("anyOf", "oneOf", "allOf"):
        if rules.get(choice):
            return _example(name, rules[choice][0], root, depth + 1)
    return _of_kind(_kind(rules), name, rules, root, depth)


def _kind(rules: Mapping[str, Any]) -> Any:
    kinds: Any = rules.get("type") or ("object" if "properties" in rules else "string")
    return kinds if isinstance(kinds, str) else kinds[0]


def _of_kind(kind: Any, name: str, rules: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Any:
    match kind:
        case "object":
            return _object({}, rules, root, depth)
        case "array":
            return [_example(name, rules.get("items", {}), root, depth + 1) for _ in range(rules.get("minItems", 0))]
        case "integer" | "number":
            return _number(rules, whole=kind == "integer")
        case "boolean":
            return False
        case "null":
            return None
        case _:
            return _text(name, rules)


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference to another part of the same schema."""
    reference = schema.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return schema
    at: Any = root
    for part in reference.removeprefix("#/").split("/"):
        at = cast("Mapping[str, Any]", at).get(part, {}) if isinstance(at, Mapping) else {}
    return cast("Mapping[str, Any]", at) if isinstance(at, Mapping) else {}


def _number(rules: Mapping[str, Any], *, whole: bool) -> float:
    low = rules.get("minimum")
    if low is None and "exclusiveMinimum" in rules:
        low = rules["exclusiveMinimum"] + (1 if whole else 0.5)
    high = rules.get("maximum")
    if low is None:
        low = min(1, high) if high is not None else 1
    return int(low) if whole else low


_FORMATS = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def _text(name: str, rules: Mapping[str, Any]) -> str:
    text = _FORMATS.get(rules.get("format", ""), name)
    text = text.ljust(rules.get("minLength", 0), "x")
    return text[: rules["maxLength"]] if "maxLength" in rules else text
