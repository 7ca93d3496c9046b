"""The messages of graphql-transport-ws: checked values coming in, text going out."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

from router.server.errors import RequestError
from router.server.pipeline.read import GraphQLRequest, read_members

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "SUBPROTOCOL",
    "ClientMessage",
    "CloseCode",
    "Complete",
    "ConnectionInit",
    "InvalidMessageError",
    "Ping",
    "Pong",
    "Subscribe",
    "complete_message",
    "connection_ack",
    "error_message",
    "next_message",
    "parse_message",
    "pong_message",
]

SUBPROTOCOL = "graphql-transport-ws"


class CloseCode(IntEnum):
    """Why the server closes a connection: RFC 6455's codes, the protocol's 44xx, and one of our own
    (4413).
    """

    GOING_AWAY = 1001
    TOO_BIG = 1009
    INTERNAL_ERROR = 1011
    RELOADED = 1012  # the supergraph was replaced; clients connect again and subscribe anew
    INVALID_MESSAGE = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    INIT_TIMEOUT = 4408
    SUBPROTOCOL_NOT_ACCEPTABLE = 4406
    SUBSCRIBER_EXISTS = 4409
    SLOW_CLIENT = 4413  # more waits to be sent than may; a client may connect again at once
    TOO_MANY_INITIALISATIONS = 4429
    TOO_MANY_CONNECTIONS = 4430  # of one user; a client may connect again when another has closed


class InvalidMessageError(Exception):
    """A message that is not one of the protocol's; the text is the reason that the client gets with
    code 4400.
    """


@dataclass(frozen=True, slots=True)
class ConnectionInit:
    """``connection_init``."""

    payload: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Subscribe:
    """``subscribe``: an operation of any kind under an id that the client chose."""

    id: str
    request: GraphQLRequest


@dataclass(frozen=True, slots=True)
class Complete:
    """``complete``: the client is no longer interested in an operation."""

    id: str


@dataclass(frozen=True, slots=True)
class Ping:
    """``ping``, to be answered with a pong of the same payload."""

    payload: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Pong:
    """``pong``, asked for or not."""


ClientMessage: TypeAlias = ConnectionInit | Subscribe | Complete | Ping | Pong


def parse_message(text: str) -> ClientMessage:
    """Read one message of a client; raises :class:`InvalidMessageError`."""
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise InvalidMessageError("The message is not JSON") from None
    if not isinstance(message, dict):
        raise InvalidMessageError("The message is not a JSON object")
    match message.get("type"):
        case "connection_init":
            return ConnectionInit(_object(message, "connection_init") or {})
        case "subscribe":
            return Subscribe(_id(message, "subscribe"), _request(message))
        case "complete":
            return Complete(_id(message, "complete"))
        case "ping":
            return Ping(_object(message, "ping"))
        case "pong":
            _object(message, "pong")
            return Pong()
        case _:
            raise InvalidMessageError("The message has no type that a client may send")


def _object(message: dict[str, Any], kind: str) -> dict[str, Any] | None:
    payload = message.get("payload")
    if payload is not None and not isinstance(payload, dict):
        raise InvalidMessageError(f"The payload of {kind} must be an object")
    return payload


def _id(message: dict[str, Any], kind: str) -> str:
    identifier = message.get("id")
    if not isinstance(identifier, str) or not identifier:
        raise InvalidMessageError(f"The id of {kind} must be a non-empty string")
    return identifier


def _request(message: dict[str, Any]) -> GraphQLRequest:
    payload = message.get("payload")
    if not isinstance(payload, dict):
        raise InvalidMessageError("The payload of subscribe must be an object")
    try:
        return read_members(payload)
    except RequestError as error:
        raise InvalidMessageError(f"In the payload of subscribe: {error}") from None


def connection_ack() -> str:
    """Return the message that accepts a connection."""
    return '{"type":"connection_ack"}'


def pong_message(payload: dict[str, Any] | None) -> str:
    """Return the answer to a ping."""
    return '{"type":"pong"}' if payload is None else _dump({"type": "pong", "payload": payload})


def next_message(identifier: str, payload: str) -> str:
    """Return a result of an operation, whose payload is JSON already."""
    return f'{{"id":{_dump(identifier)},"type":"next","payload":{payload}}}'


def error_message(identifier: str, errors: Sequence[dict[str, Any]]) -> str:
    """Return the message that ends an operation which was refused, or cannot go on."""
    return _dump({"id": identifier, "type": "error", "payload": list(errors)})


def complete_message(identifier: str) -> str:
    """Return the message that ends an operation which has run."""
    return _dump({"id": identifier, "type": "complete"})


def _dump(value: dict[str, Any] | str) -> str:
    return orjson.dumps(value).decode()
