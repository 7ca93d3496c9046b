"""JSON Schemas of events, generated from the payload models and checked in under
``schema/events/``.

A schema describes the whole event: the envelope with this type, this version, and this payload.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from pydantic.json_schema import GenerateJsonSchema
from typing_extensions import override

from shared.events.event import Event

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.events.event import EventPayload

__all__ = ["event_schemas"]


def event_schemas(payloads: Iterable[type[EventPayload]]) -> dict[str, str]:
    """File name -> text of the schema, for every payload class; the same input gives the same
    bytes.
    """
    return {
        f"{payload.event_type}.v{payload.event_version}.json": _text(_schema(payload))
        for payload in sorted(payloads, key=lambda cls: (cls.event_type, cls.event_version))
    }


class _Untitled(GenerateJsonSchema):
    """Fields have names, which is enough; pydantic's titles for them would only repeat these."""

    @override
    def field_title_should_be_set(self, schema: object) -> bool:
        return False


def _schema(payload: type[EventPayload]) -> dict[str, Any]:  # Any: a JSON Schema is arbitrary JSON
    schema = Event.model_json_schema(schema_generator=_Untitled, mode="serialization")
    body = payload.model_json_schema(schema_generator=_Untitled, mode="serialization")
    definitions = body.pop("$defs", {})
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = f"{payload.event_type} (version {payload.event_version})"
    schema["description"] = (payload.__doc__ or "").strip()
    schema["properties"] |= {
        "type": {"const": payload.event_type},
        "version": {"const": payload.event_version},
        "payload": body,
    }
    # definitions of the envelope are those of its free-form payload, which the body has replaced
    schema.pop("$defs", None)
    if definitions:
        schema["$defs"] = definitions
    return schema


def _text(schema: dict[str, Any]) -> str:
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode() + "\n"
