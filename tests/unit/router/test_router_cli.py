"""The router's command line, apart from serving."""

from pathlib import Path

import orjson
import pytest
from graphql import parse
from typer.testing import CliRunner

from router.cli import app
from router.supergraph import load_supergraph

RUN = CliRunner()

USERS = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
type Query { me: User }
type User @key(fields: "id") { id: ID! name: String }
"""
POSTS = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
type User @key(fields: "id") { id: ID! posts: [String!]! }
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "users.graphql").write_text(USERS)
    (tmp_path / "posts.graphql").write_text(POSTS)
    path = tmp_path / "supergraph.yaml"
    path.write_text(
        """
        federation_version: =2.5.0
        subgraphs:
          users:
            routing_url: http://users/graphql
            schema: {file: users.graphql}
          posts:
            routing_url: http://posts/graphql
            schema: {file: ./posts.graphql}
        """
    )
    return path


@pytest.fixture
def supergraph(config: Path, tmp_path: Path) -> Path:
    path = tmp_path / "supergraph.graphql"
    assert RUN.invoke(app, ["compose", "--config", str(config), "-o", str(path)]).exit_code == 0
    return path


def test_compose_prints_the_supergraph(config: Path) -> None:
    result = RUN.invoke(app, ["compose", "--config", str(config)])

    assert result.exit_code == 0
    subgraphs = load_supergraph(result.stdout).subgraphs
    assert {name: subgraph.url for name, subgraph in subgraphs.items()} == {
        "users": "http://users/graphql",
        "posts": "http://posts/graphql",
    }


def test_compose_writes_the_same_into_a_file(config: Path, supergraph: Path) -> None:
    printed = RUN.invoke(app, ["compose", "--config", str(config)]).stdout

    assert supergraph.read_text() == printed
    parse(printed)


def test_compose_errors_have_codes_and_nothing_is_written(config: Path, tmp_path: Path) -> None:
    (tmp_path / "posts.graphql").write_text(POSTS.replace("id: ID!", "id: Int!"))
    output = tmp_path / "out.graphql"

    result = RUN.invoke(app, ["compose", "--config", str(config), "--output", str(output)])

    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("FIELD_TYPE_MISMATCH: ")
    assert not output.exists()


def test_a_file_that_was_there_survives_a_failed_composition(
    config: Path, supergraph: Path, tmp_path: Path
) -> None:
    before = supergraph.read_text()
    (tmp_path / "posts.graphql").write_text("type {")

    result = RUN.invoke(app, ["compose", "--config", str(config), "--output", str(supergraph)])

    assert result.exit_code == 1
    assert supergraph.read_text() == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("subgraphs: {}", "subgraphs"),
        ("nothing: 1", "subgraphs"),
        ("subgraphs: [", "YAML"),
        ("subgraphs: {a: {routing_url: x}}", "subgraphs.a.schema"),
        ("subgraphs: {a: {schema: {}}}", "exactly one of"),
        ("subgraphs: {a: {schema: {subgraph_url: http://x}}}", "subgraph_url"),
        ("subgraphs: {a: {schema: {file: missing.graphql}}}", "missing.graphql does not exist"),
    ],
)
def test_an_unusable_configuration_is_explained(config: Path, text: str, words: str) -> None:
    config.write_text(text)

    result = RUN.invoke(app, ["compose", "--config", str(config)])

    assert result.exit_code == 1
    assert result.stderr.startswith("INVALID_CONFIG: ")
    assert words in result.stderr


def test_a_schema_may_stand_in_the_configuration(config: Path) -> None:
    config.write_text(
        "subgraphs: {a: {routing_url: http://a, schema: {sdl: 'type Query {a: Int}'}}}"
    )

    result = RUN.invoke(app, ["compose", "--config", str(config)])

    assert result.exit_code == 0
    assert "a: Int" in result.stdout


def _plan(supergraph: Path, text: str, *options: str) -> tuple[int, str, str]:
    arguments = ["plan", "--supergraph", str(supergraph), "--query", "-", *options]
    result = RUN.invoke(app, arguments, input=text)
    return result.exit_code, result.stdout, result.stderr


def test_plan_prints_the_fetches(supergraph: Path) -> None:
    exit_code, text, _ = _plan(supergraph, "{ me { name posts } }")

    assert exit_code == 0
    assert text.startswith("QueryPlan {\n  Sequence {\n")
    assert 'Fetch(service: "users")' in text
    assert 'Fetch(service: "posts")' in text


def test_plan_prints_json_for_programs(supergraph: Path) -> None:
    _, text, _ = _plan(supergraph, "{ me { name posts } }", "--format", "json")

    assert [fetch["subgraph"] for fetch in orjson.loads(text)["fetches"]] == ["users", "posts"]


def test_plan_takes_the_named_operation_of_a_file(supergraph: Path, tmp_path: Path) -> None:
    query = tmp_path / "query.graphql"
    query.write_text("query A { me { name } } query B { me { posts } }")
    arguments = ["plan", "--supergraph", str(supergraph), "--query", str(query)]

    chosen = RUN.invoke(app, [*arguments, "--operation", "A"])
    missing = RUN.invoke(app, arguments)

    assert 'service: "posts"' not in chosen.stdout
    assert missing.exit_code == 1
    assert missing.stderr.startswith("OPERATION_RESOLUTION_FAILURE: ")


@pytest.mark.parametrize(
    ("text", "code"),
    [("{ me", "GRAPHQL_PARSE_FAILED"), ("{ me { nope } }", "GRAPHQL_VALIDATION_FAILED")],
)
def test_plan_refuses_what_the_router_would_refuse(supergraph: Path, text: str, code: str) -> None:
    exit_code, printed, errors = _plan(supergraph, text)

    assert (exit_code, printed) == (1, "")
    assert errors.startswith(f"{code}: ")


@pytest.mark.parametrize("content", ["", "{", "type Query { a: Int }"])
def test_a_file_that_is_no_supergraph_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "supergraph.graphql"
    path.write_text(content)

    exit_code, printed, errors = _plan(path, "{ a }")
    served = RUN.invoke(app, ["serve", "--supergraph", str(path), "--port", "0"])

    assert (exit_code, printed) == (1, "")
    assert errors.split(":")[0] in {"INVALID_GRAPHQL", "NOT_A_SUPERGRAPH"}
    assert (served.exit_code, served.stderr) == (1, errors)


def test_serve_needs_exactly_one_source(config: Path, supergraph: Path) -> None:
    neither = RUN.invoke(app, ["serve"])
    both = RUN.invoke(app, ["serve", "--config", str(config), "--supergraph", str(supergraph)])

    assert neither.exit_code == both.exit_code == 1
    assert "exactly one of --supergraph and --config" in neither.stderr


def test_serve_refuses_wrong_settings_and_addresses(
    supergraph: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["serve", "--supergraph", str(supergraph), "--port", "0"]

    monkeypatch.setenv("ROUTER_SUBGRAPH_URLS", '{"users": "ftp://users"}')
    address = RUN.invoke(app, arguments)
    monkeypatch.setenv("ROUTER_MAX_TOKENS", "-1")
    setting = RUN.invoke(app, arguments)

    assert (address.exit_code, setting.exit_code) == (1, 1)
    assert "subgraph 'users' cannot be reached at 'ftp://users'" in address.stderr
    assert setting.stderr.startswith("INVALID_SETTING: max_tokens: ")
