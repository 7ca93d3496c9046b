"""`supergraph.yaml`: what is read from it, and everything that can be wrong with it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from typing_extensions import override

from router.composition import ConfigError, SubgraphInput, compose_config, load_config
from router.federation.codes import ErrorCode

SDL = "type Query { a: Int }"


def write(folder: Path, text: str) -> Path:
    path = folder / "supergraph.yaml"
    path.write_text(text)
    return path


class _Subgraph(BaseHTTPRequestHandler):
    """Answers by path: a proper subgraph, another GraphQL server, something that is no server."""

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        assert "_service" in asked["query"]
        status, body = {
            "/graphql": (200, json.dumps({"data": {"_service": {"sdl": SDL}}})),
            "/plain": (400, json.dumps({"errors": [{"message": "no field _service"}]})),
            "/empty": (200, json.dumps({"data": {"_service": {"sdl": " "}}})),
            "/html": (200, "<html>"),
        }[self.path]
        if self.path == "/graphql" and self.headers["x-token"] != "secret":
            status, body = 403, "{}"
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())


@pytest.fixture
def server_url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Subgraph) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_files_are_read_relative_to_the_config(tmp_path: Path) -> None:
    (tmp_path / "schema").mkdir()
    (tmp_path / "schema" / "a.graphql").write_text(SDL)
    config = write(
        tmp_path,
        """
        federation_version: =2.11.0
        subgraphs:
          a:
            routing_url: http://a/graphql
            schema: { file: schema/a.graphql }
          b:
            routing_url: http://b/graphql
            schema: { sdl: "type Query { b: Int }" }
        """,
    )

    assert load_config(config) == (
        SubgraphInput("a", "http://a/graphql", SDL),
        SubgraphInput("b", "http://b/graphql", "type Query { b: Int }"),
    )
    assert compose_config(config).ok


def test_a_running_subgraph_is_asked_for_its_schema(tmp_path: Path, server_url: str) -> None:
    config = write(
        tmp_path,
        f"""
        subgraphs:
          a:
            schema:
              subgraph_url: {server_url}/graphql
              introspection_headers: {{ x-token: secret }}
        """,
    )

    assert load_config(config) == (SubgraphInput("a", f"{server_url}/graphql", SDL),)


@pytest.mark.parametrize("path", ["plain", "empty", "html", "graphql"])
def test_a_server_without_service_field_is_named(
    path: str, tmp_path: Path, server_url: str
) -> None:
    config = write(
        tmp_path, f"subgraphs: {{ a: {{ schema: {{ subgraph_url: '{server_url}/{path}' }} }} }}"
    )

    [error] = compose_config(config).errors

    assert error.code is ErrorCode.SUBGRAPH_WITHOUT_SERVICE
    assert error.subgraphs == ("a",)


def test_a_subgraph_that_is_not_there_is_named(tmp_path: Path) -> None:
    with HTTPServer(("127.0.0.1", 0), _Subgraph) as server:  # a port that is free afterwards
        port = server.server_address[1]
    config = write(
        tmp_path, f"subgraphs: {{ a: {{ schema: {{ subgraph_url: 'http://127.0.0.1:{port}' }} }} }}"
    )

    [error] = compose_config(config).errors

    assert error.code is ErrorCode.SUBGRAPH_UNREACHABLE
    assert error.subgraphs == ("a",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is empty"),
        ("- a", "must be a mapping"),
        ("subgraphs: {}", "subgraphs"),
        ("subgraphs:\n  a: [1, 2\n", "line 3"),
        ("subgraphs: { a: { routing_url: 'http://a' } }", "subgraphs.a.schema"),
        ("subgraphs: { a: { schema: { sdl: x } } }", "routing_url is missing"),
        ("subgraphs: { a: { routing_url: u, schema: { sdl: x, file: y } } }", "exactly one"),
        ("subgraphs: { a: { routing_url: u, schema: { graphref: x } } }", "graphref"),
        ("federation_version: 1\nsubgraphs: { a: { routing_url: u, schema: { sdl: x } } }", "1 is"),
        (
            "federation_version: =2.99.1\nsubgraphs: { a: { routing_url: u, schema: { sdl: x } } }",
            "v2",
        ),
        ("subgraphs: { a: { schema: { subgraph_url: 'file:///etc/hosts' } } }", "only http"),
    ],
)
def test_an_invalid_config_says_where(text: str, message: str, tmp_path: Path) -> None:
    result = compose_config(write(tmp_path, text))

    assert result.supergraph_sdl is None
    assert {error.code for error in result.errors} == {ErrorCode.CONFIG_INVALID}
    assert any(message in error.message for error in result.errors), result.errors


def test_a_missing_config_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "nowhere.yaml")

    assert [error.code for error in caught.value.errors] == [ErrorCode.CONFIG_FILE_MISSING]


def test_all_missing_schema_files_are_reported(tmp_path: Path) -> None:
    config = write(
        tmp_path,
        """
        subgraphs:
          a: { routing_url: u, schema: { file: a.graphql } }
          b: { routing_url: u, schema: { file: b.graphql } }
        """,
    )

    result = compose_config(config)

    assert [(error.code, error.subgraphs) for error in result.errors] == [
        (ErrorCode.CONFIG_FILE_MISSING, ("a",)),
        (ErrorCode.CONFIG_FILE_MISSING, ("b",)),
    ]


def test_malformed_sdl_names_the_subgraph_and_the_line(tmp_path: Path) -> None:
    (tmp_path / "a.graphql").write_text("type Query {\n  a: Int\n")
    config = write(tmp_path, "subgraphs: { a: { routing_url: u, schema: { file: a.graphql } } }")

    [error] = compose_config(config).errors

    assert (error.code, error.subgraphs, error.line) == (ErrorCode.INVALID_GRAPHQL, ("a",), 3)
