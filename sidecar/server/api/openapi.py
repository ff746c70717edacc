"""The OpenAPI 3.1 document, made from the table of endpoints and their pydantic models."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final, Literal

from pydantic import BaseModel, Field, TypeAdapter

from sidecar.server.api.endpoints import Endpoint

_REFERENCE: Final = "#/components/schemas/{model}"
_COMMON: Final = (401, 403, 429)


class Problem(BaseModel):
    """What went wrong, as RFC 9457 has it."""

    title: str
    status: int
    detail: str
    """What, and where."""
    do: str = Field(default="", description="What to do about it.")


def openapi(endpoints: Sequence[Endpoint], version: str) -> dict[str, Any]:
    """The document for ``endpoints``."""
    schemas: dict[str, Any] = {}
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, schemas)
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
    _schema(Problem, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Reaction Sidecar",
            "version": version,
            "description": "Joins meetings, recognises poses and plays the matching stickers.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(endpoint: Endpoint, schemas: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.text,
        "tags": [endpoint.tag],
        "parameters": [*_path_parameters(endpoint), *_other_parameters(endpoint)],
        "responses": _responses(endpoint, schemas),
    }
    if endpoint.scope is not None:
        operation["security"] = [{"token": []}]
        operation["description"] = f"Needs the scope `{endpoint.scope.value}`."
    if endpoint.body is not None or endpoint.takes != ("application/json",):
        schema: dict[str, Any] = (
            _schema(endpoint.body, schemas) if endpoint.body is not None else {}
        )
        content = {kind: {"schema": schema} for kind in endpoint.takes}
        if endpoint.json_body is not None:
            content["application/json"] = {"schema": _schema(endpoint.json_body, schemas)}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _path_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"{(\w+)", endpoint.path)
    ]


def _other_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {
            "name": one.name,
            "in": one.place,
            "description": one.text,
            "schema": one.schema,
            **({"style": "form", "explode": False} if one.schema.get("type") == "array" else {}),
        }
        for one in endpoint.parameters
    ]


def _responses(endpoint: Endpoint, schemas: dict[str, Any]) -> dict[str, Any]:
    good: dict[str, Any] = {"description": HTTPStatus(endpoint.status).phrase}
    if endpoint.answer is not None:
        good["content"] = {
            endpoint.content_type: {"schema": _schema(endpoint.answer, schemas, "serialization")}
        }
    elif endpoint.content_type != "application/json":
        good["content"] = {kind: {} for kind in endpoint.content_type.split(", ")}
    expected = set(endpoint.errors) | {429}
    if endpoint.scope is not None:
        expected |= set(_COMMON)
    if endpoint.body is not None:
        expected |= {413, 415, 422}
    problem = {"application/problem+json": {"schema": _schema(Problem, schemas)}}
    problems = {
        str(status): {"description": HTTPStatus(status).phrase, "content": problem}
        for status in sorted(expected)
    }
    answers = {
        str(status): {**good, "description": HTTPStatus(status).phrase}
        for status in (endpoint.status, *endpoint.also)
    }
    return answers | problems


def _schema(
    kind: Any,
    schemas: dict[str, Any],
    mode: Literal["validation", "serialization"] = "validation",
) -> dict[str, Any]:
    """The schema of a type, as it is read or written; what it refers to goes into ``schemas``."""
    schema = TypeAdapter(kind).json_schema(ref_template=_REFERENCE, mode=mode)
    schemas.update(schema.pop("$defs", {}))
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        schemas[kind.__name__] = schema
        return {"$ref": _REFERENCE.format(model=kind.__name__)}
    return dict(schema)
