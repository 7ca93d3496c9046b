"""Two subgraphs that take files, with another implementation of multipart than the router's own."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from graphql import build_schema, graphql
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from router.composition import SubgraphInput, compose

_LINK = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.0", import: ["@key"])
"""
IMAGES = """
scalar Upload
scalar Anything
type Query { images: Int }
type Mutation {
  store(file: Upload, label: String): String
  storeAll(input: StoreInput!): [String]
  storeAny(value: Anything): String
}
input StoreInput { files: [Upload!]!, cover: CoverInput }
input CoverInput { file: Upload }
"""
DOCUMENTS = """
scalar Upload
type Query { documents(file: Upload): String }
type Mutation { scan(file: Upload!): String }
"""


def upload_supergraph() -> str:
    """Both subgraphs composed."""
    result = compose(
        [
            SubgraphInput("images", "http://images", _LINK + IMAGES),
            SubgraphInput("documents", "http://documents", _LINK + DOCUMENTS),
        ]
    )
    assert result.supergraph_sdl is not None, result
    return result.supergraph_sdl


async def fingerprint(file: UploadFile | None) -> str | None:
    """What a file is told by: name, type, size, hash."""
    if file is None:
        return None
    content = await file.read()
    await file.seek(0)
    digest = hashlib.sha256(content).hexdigest()[:8]
    return f"{file.filename} {file.content_type} {len(content)} {digest}"


def told(filename: str, content_type: str, content: bytes) -> str:
    """The fingerprint of what was sent."""
    digest = hashlib.sha256(content).hexdigest()[:8]
    return f"{filename} {content_type} {len(content)} {digest}"


class _Root:
    """Resolvers of graphql-core's default kind."""

    def images(self, info: Any) -> int:
        return 1

    async def documents(self, info: Any, file: Any = None) -> str | None:
        return await fingerprint(file)

    async def store(self, info: Any, file: Any = None, label: str | None = None) -> str | None:
        return await fingerprint(file)

    async def storeAll(self, info: Any, input: dict[str, Any]) -> list[str | None]:  # noqa: A002, N802 - names of the schema
        cover = (input.get("cover") or {}).get("file")
        return [await fingerprint(file) for file in (*input["files"], cover)]

    async def storeAny(self, info: Any, value: Any = None) -> str | None:  # noqa: N802 - as above
        return await fingerprint(value["file"])

    async def scan(self, info: Any, file: Any) -> str | None:
        return await fingerprint(file)


def upload_subgraph(sdl: str) -> Starlette:
    """One of the subgraphs as an application; ``app.state.requests`` has types and headers."""
    schema = build_schema(sdl)

    async def answer(request: Request) -> Response:
        content_type = request.headers["content-type"]
        app.state.requests.append((content_type.partition(";")[0], dict(request.headers)))
        if content_type == "application/json":
            operation = orjson.loads(await request.body())
            return await _execute(schema, operation)
        async with request.form() as form:
            operation = orjson.loads(str(form["operations"]))
            for name, paths in orjson.loads(str(form["map"])).items():
                for path in paths:
                    _put(operation, path.split("."), form[name])
            return await _execute(schema, operation)

    app = Starlette(routes=[Route("/graphql", answer, methods=["POST"])])
    app.state.requests = []
    return app


async def _execute(schema: Any, operation: Any) -> Response:
    result = await graphql(
        schema, operation["query"], _Root(), variable_values=operation.get("variables")
    )
    return JSONResponse(result.formatted)


def _put(holder: Any, steps: list[str], value: Any) -> None:
    for step in steps[:-1]:
        holder = holder[int(step)] if isinstance(holder, list) else holder[step]
    key: Any = int(steps[-1]) if isinstance(holder, list) else steps[-1]
    assert holder[key] is None
    holder[key] = value
