"""Make a JSON schema of a function's signature, and its arguments of what a model sent; pydantic does the work."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Union, cast, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema

from ..errors import ToolError
from .context import ToolContext
from .failure import bad_arguments

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY,)


@dataclass(frozen=True)
class Signature:
    """Know what a function takes."""

    schema: dict[str, Any]
    """The JSON schema of its arguments, an object."""
    _model: type[BaseModel]
    _fields: Mapping[str, inspect.Parameter]
    _context: str | None
    """The parameter that takes the ``ToolContext``."""

    def bind(self, function: Callable[..., Any], arguments: str, context: ToolContext) -> Callable[[], Any]:
        """Return the call that a model asked for.

        Args:
            function: what is called.
            arguments: JSON as the model wrote it; nothing at all is taken for no arguments.
            context: for the parameter that wants it.

        Raises:
            ToolError: they are not JSON, or not what the function takes; the model is told what is wrong with which.
        """
        try:
            checked = self._model.model_validate_json(arguments.strip() or "{}")
        except ValidationError as error:
            raise ToolError(bad_arguments(error)) from error
        positional: list[Any] = []
        named: dict[str, Any] = dict(checked.model_extra or {})
        for field, parameter in self._fields.items():
            value = getattr(checked, field)
            if parameter.kind in _POSITIONAL:
                positional.append(value)
            else:
                named[parameter.name] = value
        if self._context is not None:
            named[self._context] = context
        return partial(function, *positional, **named)


def signature_of(function: Callable[..., Any], name: str, documented: Mapping[str, str]) -> Signature:
    """Read a function's signature.

    Args:
        function: a function, a method, a partial, or an object that can be called.
        name: the tool's name, for messages.
        documented: what its docstring says of its parameters; ``Field(description=...)`` goes before.

    Raises:
        ToolError: it has parameters that JSON cannot give it.
    """
    hints = _hints(function, name)
    fields: dict[str, Any] = {}
    parameters: dict[str, inspect.Parameter] = {}
    context: str | None = None
    takes_more = False
    for parameter in _parameters(function, name):
        annotation = hints.get(parameter.name, Any)
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            takes_more = True
            continue
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            raise ToolError(f"{name} cannot be a tool, for it takes *{parameter.name}: take a list instead.")
        if _is_context(annotation):
            context = parameter.name
            continue
        field = f"argument_{len(fields)}"  # of its own, for a parameter may be named like a method of the model
        fields[field] = (_annotated(annotation, parameter.name, documented.get(parameter.name)), _default(parameter))
        parameters[field] = parameter
    config = ConfigDict(extra="allow" if takes_more else "forbid", arbitrary_types_allowed=False)
    try:
        model = create_model(f"{name}_arguments", __config__=config, **fields)
        schema = model.model_json_schema(by_alias=True, schema_generator=_Schema)
    except PydanticUserError as error:
        raise ToolError(
            f"{name} cannot be a tool, for JSON cannot give it its arguments: {str(error).splitlines()[0]}"
        ) from error
    return Signature(_without_titles(schema), model, parameters, context)


class _Schema(GenerateJsonSchema):
    """Leave out a default that JSON cannot say, in silence."""

    ignored_warning_kinds = {"non-serializable-default", "skipped-choice"}  # noqa: RUF012  (as pydantic declares it)


def _parameters(function: Callable[..., Any], name: str) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError) as error:
        raise ToolError(f"{name} cannot be a tool, for its signature is not known: wrap it in a function.") from error


def _hints(function: Callable[..., Any], name: str) -> dict[str, Any]:
    inner: Any = function
    while isinstance(inner, partial):
        inner = cast("partial[Any]", inner).func
    if not isinstance(inner, types.FunctionType | types.MethodType | types.BuiltinFunctionType):
        inner = inner if inspect.isclass(inner) else type(inner).__call__
    try:
        return get_type_hints(inner, include_extras=True)
    except NameError as error:
        raise ToolError(f"{name} cannot be a tool, for one of its annotations is not known: {error}.") from error
    except TypeError:
        return {}  # built in: it has none


def _annotated(annotation: Any, parameter: str, description: str | None) -> Any:
    """Put what the docstring says before what the annotation says, and the parameter's own name after."""
    inner, said = annotation, ()
    if get_origin(annotation) is Annotated:
        inner, *said = get_args(annotation)
    told = (Field(description=description),) if description else ()
    return Annotated[(inner, *told, *said, Field(alias=parameter))]  # pyright: ignore[reportInvalidTypeForm]


def _default(parameter: inspect.Parameter) -> Any:
    default = parameter.default
    if default is inspect.Parameter.empty:
        return ...
    if isinstance(default, FieldInfo):
        default = copy(default)
        default.alias = default.validation_alias = default.serialization_alias = parameter.name
        default.alias_priority = 2
    return default


def _is_context(annotation: Any) -> bool:
    if get_origin(annotation) in (Union, types.UnionType, Annotated):
        return any(_is_context(inner) for inner in get_args(annotation))
    return annotation is ToolContext


def _without_titles(schema: Any) -> Any:
    """Drop the titles that pydantic makes of names: they tell a model nothing and cost tokens."""
    if isinstance(schema, list):
        return [_without_titles(inner) for inner in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    found = cast("dict[str, Any]", schema)
    kept: dict[str, Any] = {}
    for key, value in found.items():
        if key in ("properties", "$defs") and isinstance(value, dict):
            kept[key] = {name: _without_titles(inner) for name, inner in cast("dict[str, Any]", value).items()}
        elif not (key == "title" and isinstance(value, str)):
            kept[key] = value if key in ("default", "const", "enum", "examples") else _without_titles(value)
    return kept
