"""A strict JSON Schema of Grafana's dashboards, of the classes of grafana-foundation-sdk: other fields are refused.

Grafana publishes no schema of its v1 dashboards that a test could install. The SDK's classes are generated from the
same definitions, so the schema is read off them: their fields from the annotations, the names in JSON from `to_json`.
What a class leaves open (options of a panel, the value of an override) is open here; `test_panel_types.py` looks at it.
"""

import enum
import importlib
import inspect
import re
import types
import typing
from typing import Any

from grafana_foundation_sdk.cog import variants
from grafana_foundation_sdk.models import dashboard, prometheus

ALWAYS = re.compile(r'^ +"(\w+)": self\.(\w+),$', re.MULTILINE)
WHERE_GIVEN = re.compile(r'payload\["(\w+)"\] = self\.(\w+)')
PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    object: {},
    Any: {},
    type(None): {"type": "null"},
}


def schema() -> dict[str, Any]:
    """Return the schema of a whole dashboard."""
    found: dict[str, Any] = {}
    root = _of(dashboard.Dashboard, found)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **root, "$defs": found}


def _of(kind: Any, found: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a type; those of classes are gathered in `found`."""
    if kind in PLAIN:
        return PLAIN[kind]
    if (origin := typing.get_origin(kind)) is not None:
        return _of_parts(origin, typing.get_args(kind), found)
    if issubclass(kind, enum.Enum):
        return {"enum": [member.value for member in kind]}
    if kind is variants.Dataquery:  # ours all go to Prometheus
        kind = prometheus.Dataquery
    return _of_class(kind, found)


def _of_parts(origin: Any, inner: tuple[Any, ...], found: dict[str, Any]) -> dict[str, Any]:
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_of(one, found) for one in inner]}
    if origin is list:
        return {"type": "array", "items": _of(inner[0], found)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _of(inner[1], found)}
    assert origin is typing.Literal, origin
    return {"enum": list(inner)}


def _of_class(kind: Any, found: dict[str, Any]) -> dict[str, Any]:
    name = f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}"
    if name not in found:
        found[name] = {}  # so that a class that holds itself finds an end
        hints = typing.get_type_hints(kind, vars(importlib.import_module(kind.__module__)))
        source = inspect.getsource(kind.to_json)
        always, given = ALWAYS.findall(source), WHERE_GIVEN.findall(source)
        found[name] = {
            "type": "object",
            "additionalProperties": False,
            "required": [field for field, _ in always],
            "properties": {field: _of(hints[attribute], found) for field, attribute in (*always, *given)},
        }
    return {"$ref": f"#/$defs/{name}"}
