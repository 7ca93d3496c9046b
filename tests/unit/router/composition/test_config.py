"""`supergraph.yaml`: what is read from it, and everything that can be wrong with it."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from typing_extensions import override

from router.composition import (
    ConfigError,
    SubgraphInput,
    compose_config,
    load_config,
    read_config,
)
from router.composition.introspection import IntrospectionError, fetch_sdl
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
            "/long": (200, "x" * 100),
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


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("plain", "no field _service"),
        ("empty", "an empty schema"),
        ("html", "HTTP 200, and no JSON: <html>"),
        ("graphql", "HTTP 403"),
    ],
)
def test_a_server_without_service_field_is_named_and_quoted(
    path: str, said: str, tmp_path: Path, server_url: str
) -> None:
    config = write(
        tmp_path, f"subgraphs: {{ a: {{ schema: {{ subgraph_url: '{server_url}/{path}' }} }} }}"
    )

    [error] = compose_config(config).errors

    assert error.code is ErrorCode.SUBGRAPH_WITHOUT_SERVICE
    assert error.subgraphs == ("a",)
    assert said in error.message


def test_a_subgraph_that_is_not_there_is_named(tmp_path: Path) -> None:
    with HTTPServer(("127.0.0.1", 0), _Subgraph) as server:  # a port that is free afterwards
        port = server.server_address[1]
    config = write(
        tmp_path, f"subgraphs: {{ a: {{ schema: {{ subgraph_url: 'http://127.0.0.1:{port}' }} }} }}"
    )

    [error] = compose_config(config).errors

    assert error.code is ErrorCode.SUBGRAPH_UNREACHABLE
    assert error.subgraphs == ("a",)


def _raw_server(answer: bytes, *, keep_open: bool) -> Iterator[str]:
    """A server that sends one answer to whatever it is sent, and may then say nothing more."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(answer)
                if keep_open:
                    done.wait()

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        done.set()
        thread.join()


@pytest.fixture
def silent_url() -> Iterator[str]:
    yield from _raw_server(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{", keep_open=True)


@pytest.fixture
def strange_url() -> Iterator[str]:
    yield from _raw_server(b"220 mail.example.org ESMTP\r\n", keep_open=False)


def test_a_server_that_never_finishes_times_out(silent_url: str) -> None:
    with pytest.raises(IntrospectionError, match="timed out") as caught:
        fetch_sdl(silent_url, {}, timeout=0.2)

    assert caught.value.code is ErrorCode.SUBGRAPH_UNREACHABLE


def test_a_server_that_does_not_speak_http_is_unreachable(strange_url: str) -> None:
    with pytest.raises(IntrospectionError) as caught:
        fetch_sdl(strange_url, {})

    assert caught.value.code is ErrorCode.SUBGRAPH_UNREACHABLE


def test_an_answer_that_is_too_long_is_not_read(
    server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("router.composition.introspection._MAX_BYTES", 50)

    with pytest.raises(IntrospectionError, match="longer than 50 bytes"):
        fetch_sdl(f"{server_url}/long", {})


def test_environment_variables_are_filled_in(tmp_path: Path) -> None:
    config = write(
        tmp_path,
        """
        subgraphs:
          a:
            routing_url: ${env.SCHEME:-https}://${env.HOST}/graphql
            schema: { sdl: "type Query { a: Int }" }
        """,
    )

    [subgraph] = load_config(config, {"HOST": "a.example.org"})

    assert subgraph.url == "https://a.example.org/graphql"


def test_a_config_can_be_read_without_its_schemas(tmp_path: Path) -> None:
    config = write(
        tmp_path, "subgraphs: { a: { routing_url: http://a, schema: { file: missing.graphql } } }"
    )

    assert read_config(config).subgraphs["a"].url == "http://a"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is empty"),
        ("- a", "must be a mapping"),
        ("subgraphs: {}", "subgraphs"),
        ("subgraphs:\n  a: [1, 2\n", "not YAML"),
        ("subgraphs: { a: { routing_url: 'http://a' } }", "subgraphs.a.schema"),
        ("subgraphs: { a: { schema: { sdl: x } } }", "routing_url is missing"),
        ("subgraphs: { a: { routing_url: u, schema: { sdl: x, file: y } } }", "exactly one"),
        ("subgraphs: { a: { routing_url: u, schema: { graphref: x } } }", "graphref"),
        ("subgraphs: { 1: { routing_url: u, schema: { sdl: x } } }", "subgraphs.1"),
        ("subgraphs: { a: { routing_url: '${env.NOWHERE}' } }", "variable NOWHERE is not set"),
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
