"""A subgraph made of SDL and data, served as an ASGI application that records what it is asked.

An example::

    products = DataSubgraph(
        "products",
        SDL,
        root={"top": [{"upc": "1", "name": "Table"}]},
        entities={"Product": [{"upc": "1", "name": "Table"}]},
        resolvers={"Product.price": lambda source, arguments: 10},
    )

Values are found by field name; a callable is called with the field's arguments, an exception is
raised. Objects of abstract types tell their ``__typename``. Resolvers come first. An entity is the
stored one with the same key, with the representation's own fields over it (for ``@requires``);
the resolver ``Product.__resolveReference`` replaces that.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import Any

import orjson
from graphql import (
    ExecutionResult,
    GraphQLResolveInfo,
    graphql,
    parse,
    subscribe,
)

from tests.federation.harness.executable import KeyFields, make_executable

__all__ = ["DataSubgraph", "RecordedRequest"]

Resolver = Callable[..., Any]  # (source, arguments) -> value


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request that a subgraph has got."""

    subgraph: str
    query: str
    variables: dict[str, Any]
    operation_name: str | None
    headers: dict[str, str]

    @property
    def representations(self) -> list[dict[str, Any]]:
        """All representations of the request."""
        return [
            item
            for value in self.variables.values()
            if isinstance(value, list)
            for item in value
            if isinstance(item, dict) and "__typename" in item
        ]


@dataclass
class DataSubgraph:
    """See the module. ``respond`` may answer a request instead: with (status, body) or None."""

    name: str
    sdl: str
    root: Mapping[str, Any] = field(default_factory=dict)
    entities: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    resolvers: Mapping[str, Resolver] = field(default_factory=dict)
    respond: Callable[[RecordedRequest], tuple[int, bytes] | None] | None = None

    def __post_init__(self) -> None:
        self.requests: list[RecordedRequest] = []
        self.log: list[RecordedRequest] = self.requests  # a run may put a common log here
        self.connection_inits: list[Any] = []
        self.ended_operations: asyncio.Queue[str] = asyncio.Queue()
        self._executable = make_executable(self.sdl)

    # data

    def _resolve(self, source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        coordinates = f"{info.parent_type.name}.{info.field_name}"
        if coordinates in self.resolvers:
            return self.resolvers[coordinates](source, arguments)
        if info.parent_type is info.schema.query_type:
            if info.field_name == "_entities":
                return [self._entity(item) for item in arguments["representations"]]
            if info.field_name == "_service":
                return {"sdl": self.sdl}
        value = source.get(info.field_name) if isinstance(source, Mapping) else None
        if callable(value):
            value = value(**arguments)
        if isinstance(value, Exception):
            raise value
        return value

    def _entity(self, representation: Mapping[str, Any]) -> Any:
        typename = representation["__typename"]
        keys = self._executable.keys.get(typename)
        if keys is None:
            raise LookupError(f"{self.name} has no entity {typename}")
        resolver = self.resolvers.get(f"{typename}.__resolveReference")
        if resolver is not None:
            return resolver(representation, {})
        for name in (typename, *sorted(self._executable.interfaces.get(typename, ()))):
            for stored in self.entities.get(name, ()):
                if any(_same(stored, representation, key) for key in keys):
                    return {"__typename": name, **_overlaid(stored, representation)}
        return None

    # the application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve HTTP and graphql-transport-ws."""
        if scope["type"] == "websocket":
            await _WebSocketSession(self, receive, send).run()
            return
        body = b""
        while True:
            message = await receive()
            body += message["body"]
            if not message["more_body"]:
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        status, answer = await self._answer(orjson.loads(body), headers)
        content_type = (b"content-type", b"application/json")
        await send({"type": "http.response.start", "status": status, "headers": [content_type]})
        await send({"type": "http.response.body", "body": answer})

    def record(self, payload: Mapping[str, Any], headers: dict[str, str]) -> RecordedRequest:
        """Record a request."""
        request = RecordedRequest(
            self.name,
            payload["query"],
            payload.get("variables") or {},
            payload.get("operationName"),
            headers,
        )
        self.requests.append(request)
        if self.log is not self.requests:
            self.log.append(request)
        return request

    async def _answer(
        self, payload: Mapping[str, Any], headers: dict[str, str]
    ) -> tuple[int, bytes]:
        request = self.record(payload, headers)
        answer = self.respond(request) if self.respond is not None else None
        if answer is not None:
            return answer
        result = await graphql(
            self._executable.schema,
            request.query,
            root_value=self.root,
            variable_values=request.variables,
            operation_name=request.operation_name,
            field_resolver=self._resolve,
            type_resolver=_typename,
        )
        return 200, orjson.dumps(result.formatted)

    async def events(self, payload: Mapping[str, Any]) -> AsyncIterator[ExecutionResult]:
        """Run a subscription; its resolver is an asynchronous generator of values."""
        request = self.record(payload, {})
        name = self._executable.schema.subscription_type
        assert name is not None

        def source(_: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
            return self.resolvers[f"{name}.{info.field_name}"](None, arguments)

        stream = subscribe(
            self._executable.schema,
            parse(request.query),
            variable_values=request.variables,
            operation_name=request.operation_name,
            field_resolver=lambda event, info, **arguments: (
                event
                if info.parent_type is info.schema.subscription_type
                else self._resolve(event, info, **arguments)
            ),
            subscribe_field_resolver=source,
            type_resolver=_typename,
        )
        if isawaitable(stream):
            stream = await stream
        if isinstance(stream, ExecutionResult):
            yield stream
            return
        async for event in stream:
            yield event


class _WebSocketSession:
    """One graphql-transport-ws connection."""

    def __init__(self, subgraph: DataSubgraph, receive: Any, send: Any) -> None:
        self._subgraph = subgraph
        self._receive = receive
        self._send_message = send
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        assert (await self._receive())["type"] == "websocket.connect"
        await self._send_message(
            {"type": "websocket.accept", "subprotocol": "graphql-transport-ws"}
        )
        try:
            while True:
                message = await self._receive()
                if message["type"] == "websocket.disconnect":
                    return
                await self._on_message(orjson.loads(message["text"]))
        finally:
            for task in self._tasks.values():
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks.values())

    async def _on_message(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "connection_init":
                self._subgraph.connection_inits.append(message.get("payload"))
                await self._send({"type": "connection_ack"})
            case "subscribe":
                task = asyncio.create_task(self._operation(message["id"], message["payload"]))
                self._tasks[message["id"]] = task
            case "complete":
                task = self._tasks.pop(message["id"])
                task.cancel()
                await asyncio.wait([task])
                self._subgraph.ended_operations.put_nowait(message["id"])

    async def _operation(self, id_: str, payload: dict[str, Any]) -> None:
        async for event in self._subgraph.events(payload):
            if event.data is None and event.errors:
                errors = [error.formatted for error in event.errors]
                await self._send({"id": id_, "type": "error", "payload": errors})
                return
            await self._send({"id": id_, "type": "next", "payload": event.formatted})
        await self._send({"id": id_, "type": "complete"})

    async def _send(self, message: dict[str, Any]) -> None:
        await self._send_message({"type": "websocket.send", "text": orjson.dumps(message).decode()})


def _typename(value: Any, _info: GraphQLResolveInfo[Any], _type: Any) -> str | None:
    return value.get("__typename") if isinstance(value, Mapping) else None


def _same(stored: Any, given: Any, key: KeyFields) -> bool:
    """Tell whether two objects (or lists of objects) agree in the fields of a key."""
    if isinstance(stored, list) and isinstance(given, list):
        return len(stored) == len(given) and all(
            _same(one, other, key) for one, other in zip(stored, given, strict=True)
        )
    if not isinstance(stored, Mapping) or not isinstance(given, Mapping):
        return False
    return all(
        name in stored
        and name in given
        and (_same(stored[name], given[name], below) if below else stored[name] == given[name])
        for name, below in key.items()
    )


def _overlaid(stored: Any, given: Any) -> Any:
    """Return stored data with the representation's fields over it, deeply."""
    if isinstance(stored, Mapping) and isinstance(given, Mapping):
        fields = {name: value for name, value in given.items() if name != "__typename"}
        return {**stored, **{name: _overlaid(stored.get(name), fields[name]) for name in fields}}
    if isinstance(stored, list) and isinstance(given, list) and len(stored) == len(given):
        return [_overlaid(one, other) for one, other in zip(stored, given, strict=True)]
    return given
