"""The command ``inspect``: every stage of planning in print."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from router.cli import app
from router.composition import SubgraphInput, compose

RUN = CliRunner()
HEAD = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])\n'


@pytest.fixture
def supergraph(tmp_path: Path) -> Path:
    users = HEAD + 'type Query { me: User } type User @key(fields: "id") { id: ID! name: String }'
    posts = HEAD + 'type User @key(fields: "id") { id: ID! posts: [String!]! }'
    composed = compose(
        [
            SubgraphInput("users", "http://users", users),
            SubgraphInput("posts", "http://posts", posts),
        ]
    )
    assert composed.supergraph_sdl is not None
    path = tmp_path / "supergraph.graphql"
    path.write_text(composed.supergraph_sdl)
    return path


def _inspect(
    stage: str, supergraph: Path, *options: str, query: str = "{ me { posts } }"
) -> Result:
    arguments = ["inspect", stage, "--supergraph", str(supergraph), *options]
    return RUN.invoke(app, arguments, input=query)


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ("paths", "enter posts by { id }"),
        ("fetch-graph", "Step 1 on posts, after 0; becomes fetch 1 of the plan"),
        ("plan", 'Fetch(service: "posts")'),
    ],
)
def test_stages_of_an_operation(supergraph: Path, stage: str, words: str) -> None:
    result = _inspect(stage, supergraph, "--query", "-")

    assert result.exit_code == 0
    assert words in result.stdout


def test_the_graph_needs_no_operation(supergraph: Path) -> None:
    result = _inspect("graph", supergraph)

    assert result.exit_code == 0
    assert "into posts by { id }" in result.stdout


def test_an_operation_is_chosen_by_name(supergraph: Path) -> None:
    query = "query A { me { name } } query B { me { posts } }"

    chosen = _inspect("fetch-graph", supergraph, "--query", "-", "--operation", "A", query=query)
    missing = _inspect("fetch-graph", supergraph, "--query", "-", query=query)

    assert "posts" not in chosen.stdout
    assert missing.stderr.startswith("OPERATION_RESOLUTION_FAILURE: ")


def test_options_that_do_not_fit_the_stage_are_refused(supergraph: Path) -> None:
    without = _inspect("paths", supergraph)
    needless = _inspect("graph", supergraph, "--query", "-")

    assert (without.exit_code, needless.exit_code) == (1, 1)
    assert without.stderr == "INVALID_OPTIONS: inspect paths needs --query\n"
    assert needless.stderr == "INVALID_OPTIONS: inspect graph takes no operation\n"


def test_bad_input_has_a_code(supergraph: Path, tmp_path: Path) -> None:
    invalid = _inspect("plan", supergraph, "--query", "-", query="{ nope }")
    no_root = _inspect("paths", supergraph, "--query", "-", query="mutation { a }")
    missing = _inspect("graph", tmp_path / "missing.graphql")

    assert [result.exit_code for result in (invalid, no_root, missing)] == [1, 1, 1]
    assert invalid.stderr.startswith("GRAPHQL_VALIDATION_FAILED: ")
    assert no_root.stderr.startswith("GRAPHQL_VALIDATION_FAILED: ")
    assert missing.stderr.startswith("UNREADABLE_FILE: ")
