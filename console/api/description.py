"""Description: the API as OpenAPI 3.1 tells it, made of what it really takes and answers.

Source  OpenAPI 3.1.0; the schemas are those of the types that are read and written
"""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from console.api.answers import Problem
from console.api.operation import JSON, UNPROCESSABLE, Operation

WHY = {
    400: "What was sent cannot be read.",
    401: "Nobody known asks.",
    403: "This needs another role.",
    404: "There is no such thing.",
    409: "It is so already, or cannot be so any more.",
    413: "The body is larger than 1 MiB.",
    415: "The body is no JSON.",
    UNPROCESSABLE: "What was sent says something that cannot be.",
    429: "Asked too often; `Retry-After` says when again.",
}
REFERENCE = "#/components/schemas/{name}"


def description(operations: Sequence[Operation]) -> dict[str, Any]:
    """Return the description of operations."""
    types = [Problem] + [one for op in operations for one in (op.answer, op.body, op.query) if one is not None]
    schemas, components = msgspec.json.schema_components(types, ref_template=REFERENCE)
    known = dict(zip(types, schemas, strict=True))
    paths: dict[str, Any] = {}
    for op in operations:
        paths.setdefault(op.path, {})[op.method.lower()] = _operation(op, known, components)
    shown = {name: schema for name, schema in components.items() if name not in {_name(op.query) for op in operations}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Vigie",
            "version": "1",
            "summary": "What the lookout of a crisis cell sees, and what people decided.",
            "description": "Signals to verify: no answer of this API is a confirmation unless its level says so. "
            "Every account makes its own tokens, on the page /accounts/me.",
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": shown,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(op: Operation, known: dict[type[Any], Any], components: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": op.name,
        "summary": op.summary,
        "description": f"Needs the right `{op.needs}`.",
        "responses": {
            str(op.status): _content(
                "What was asked for.", op.media_type, known[op.answer] if op.answer else {"type": "object"}
            ),
            **{str(status): _content(WHY[status], JSON, known[Problem]) for status in _refusals(op)},
        },
    }
    parameters = [_in_path(name) for name in re.findall(r"{(\w+)}", op.path)]
    if op.query is not None:
        parameters += _in_query(components[_name(op.query)])
    if parameters:
        found["parameters"] = parameters
    if op.body is not None:
        found["requestBody"] = {"required": True, "content": {JSON: {"schema": known[op.body]}}}
    if op.needs == "anybody":
        found["security"] = []
    return found


def _refusals(op: Operation) -> list[int]:
    found = {400, 429, *op.refusals}
    if op.needs != "anybody":
        found |= {401, 403}
    if op.query is not None or op.body is not None:
        found.add(UNPROCESSABLE)
    if op.body is not None:
        found |= {413, 415}
    return sorted(found)


def _content(words: str, media_type: str, schema: Any) -> dict[str, Any]:
    return {"description": words, "content": {media_type: {"schema": schema}}}


def _in_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _in_query(schema: dict[str, Any]) -> list[dict[str, Any]]:
    needed = schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in needed, "schema": _without_null(said)}
        for name, said in schema["properties"].items()
    ]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of something that is left out where it is not given: a query has no null."""
    if "anyOf" not in schema:
        return schema
    (kind,) = (one for one in schema["anyOf"] if one != {"type": "null"})
    return {**{name: said for name, said in schema.items() if name not in ("anyOf", "default")}, **kind}


def _name(kind: type[Any] | None) -> str:
    return kind.__name__ if kind else ""
