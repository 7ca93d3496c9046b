"""The router's command line, apart from serving."""

from pathlib import Path

import orjson
import pytest
from graphql import parse
from typer.testing import CliRunner

from router.cli import app
from router.composition import SubgraphInput, compose
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

IN_USE = (
    compose(
        [
            SubgraphInput("users", "http://users", USERS),
            SubgraphInput("posts", "http://posts", POSTS),
        ]
    ).supergraph_sdl
    or ""
)


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
    ("text", "code", "words"),
    [
        ("", "CONFIG_INVALID", "it is empty"),
        ("subgraphs: {}", "CONFIG_INVALID", "subgraphs: "),
        ("subgraphs: [", "CONFIG_INVALID", "not YAML"),
        ("\nsubgraphs: {a: {routing_url: x}}", "CONFIG_INVALID", "subgraphs.a.schema"),
        ("subgraphs: {a: {routing_url: x, schema: {}}}", "CONFIG_INVALID", "exactly one of"),
        ("subgraphs:\n  a: {}\n  a: {}", "CONFIG_INVALID", "subgraphs.a is given twice"),
        (
            "subgraphs: {a: {routing_url: x, schema: {file: b.graphql}}}",
            "CONFIG_FILE_MISSING",
            "b.",
        ),
        ("subgraphs: {a: {routing_url: x, schema: {file: .}}}", "CONFIG_FILE_MISSING", "directory"),
        ("subgraphs: {_: {routing_url: x, schema: {sdl: x}}}", "INVALID_SUBGRAPH_NAME", '"_"'),
        (
            "subgraphs: {a: {routing_url: x, schema: {sdl: 'type {'}}}",
            "INVALID_GRAPHQL",
            "(line 1)",
        ),
        ("subgraphs: {a: {schema: {subgraph_url: 'ftp://a'}}}", "CONFIG_INVALID", "[a] "),
    ],
)
@pytest.mark.parametrize(
    "command",
    ["compose", "check --against in-use.graphql", "plan --query -", "inspect graph", "serve"],
)
def test_every_command_refuses_an_unusable_configuration_in_the_same_words(
    config: Path, command: str, text: str, code: str, words: str
) -> None:
    config.write_text(text)
    config.with_name("in-use.graphql").write_text(IN_USE)
    name, *options = command.replace("in-use", str(config.with_name("in-use"))).split()

    result = RUN.invoke(app, [name, *options, "--config", str(config)], input="{ a }")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"{code}: "), result.stderr
    assert words in result.stderr


def test_places_in_configuration_and_schemas_are_named_by_line(
    config: Path, tmp_path: Path
) -> None:
    (tmp_path / "posts.graphql").write_text(POSTS + "type Post {\n  id: Nowhere\n}\n")
    in_schema = RUN.invoke(app, ["compose", "--config", str(config)])
    config.write_text("subgraphs:\n  a:\n    routing_url: x\n    schema: { fiel: y }\n")
    in_config = RUN.invoke(app, ["compose", "--config", str(config)])

    assert in_schema.stderr == "INVALID_GRAPHQL: [posts] Unknown type 'Nowhere'. (line 5)\n"
    assert "subgraphs.a.schema.fiel: there is no such setting (line 4)\n" in in_config.stderr


def test_a_missing_configuration_is_named(tmp_path: Path) -> None:
    result = RUN.invoke(app, ["compose", "--config", str(tmp_path / "nowhere.yaml")])

    assert result.exit_code == 1
    assert result.stderr.startswith("CONFIG_FILE_MISSING: ")
    assert "nowhere.yaml" in result.stderr


def test_a_supergraph_that_cannot_be_written_leaves_nothing_behind(
    config: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()

    into_folder = RUN.invoke(app, ["compose", "--config", str(config), "--output", str(folder)])
    nowhere = RUN.invoke(
        app, ["compose", "--config", str(config), "--output", str(tmp_path / "no" / "where")]
    )

    assert into_folder.exit_code == nowhere.exit_code == 1
    assert into_folder.stderr.startswith("UNWRITABLE_FILE: ")
    assert nowhere.stderr.startswith("UNWRITABLE_FILE: ")
    assert not list(tmp_path.glob(".*"))


def test_the_file_that_a_link_leads_to_is_replaced(config: Path, tmp_path: Path) -> None:
    (tmp_path / "real.graphql").write_text("old")
    (tmp_path / "link.graphql").symlink_to("real.graphql")

    RUN.invoke(app, ["compose", "--config", str(config), "-o", str(tmp_path / "link.graphql")])

    assert (tmp_path / "link.graphql").is_symlink()
    assert "join__Graph" in (tmp_path / "real.graphql").read_text()


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


def test_plan_composes_first_when_it_is_given_subgraphs(config: Path, supergraph: Path) -> None:
    options = ["plan", "--query", "-", "--config", str(config)]

    composed = RUN.invoke(app, options, input="{ me { posts } }")
    both = RUN.invoke(app, [*options, "--supergraph", str(supergraph)], input="{ me { posts } }")

    assert composed.stdout == _plan(supergraph, "{ me { posts } }")[1]
    assert (both.exit_code, both.stderr.split(":")[0]) == (1, "INVALID_OPTIONS")


def test_plan_takes_the_named_operation_of_a_file(supergraph: Path, tmp_path: Path) -> None:
    query = tmp_path / "query.graphql"
    query.write_text("query A { me { name } } query B { me { posts } }")
    arguments = ["plan", "--supergraph", str(supergraph), "--query", str(query)]

    chosen = RUN.invoke(app, [*arguments, "--operation", "A"])
    missing = RUN.invoke(app, arguments)
    unknown = RUN.invoke(app, [*arguments, "--operation", "C"])
    unreadable = RUN.invoke(app, [*arguments[:-1], str(tmp_path)])

    assert (unknown.exit_code, unreadable.exit_code) == (1, 1)
    assert unknown.stderr.startswith("OPERATION_RESOLUTION_FAILURE: ")
    assert unreadable.stderr.startswith("UNREADABLE_FILE: ")
    assert 'service: "posts"' not in chosen.stdout
    assert missing.exit_code == 1
    assert missing.stderr.startswith("OPERATION_RESOLUTION_FAILURE: ")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "GRAPHQL_PARSE_FAILED"),
        ("{ me", "GRAPHQL_PARSE_FAILED"),
        ("{ me { nope } }", "GRAPHQL_VALIDATION_FAILED"),
        ("fragment F on User { name }", "OPERATION_RESOLUTION_FAILURE"),
    ],
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
    assert served.exit_code == 1
    assert served.stderr.split(":")[0] == errors.split(":")[0]


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


def test_serve_says_which_settings_do_not_go_together_and_which_do_not_exist(
    supergraph: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROUTER_REVOCATION_REDIS_URL", "redis://127.0.0.1")
    monkeypatch.setenv("ROUTER_MAX_DEPT", "3")

    result = RUN.invoke(app, ["serve", "--supergraph", str(supergraph), "--port", "0"])

    assert result.exit_code == 1
    hint, error = result.stderr.splitlines()
    assert hint == "hint UNKNOWN_SETTING: ROUTER_MAX_DEPT is no setting; is ROUTER_MAX_DEPTH meant?"
    assert error.startswith("INVALID_SETTING: Value error, revocation_redis_url needs jwt_issuers")
