"""Where a supergraph comes from, and how a change of its files is seen."""

import os
from pathlib import Path

import pytest

from router.composition import CompositionHint
from router.server.source import ConfigSource, FileSource, SourceError
from router.supergraph import load_supergraph

USERS = "type Query { me: String }"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "users.graphql").write_text(USERS)
    path = tmp_path / "supergraph.yaml"
    path.write_text("subgraphs: {users: {routing_url: http://u, schema: {file: users.graphql}}}")
    return path


def test_a_file_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "supergraph.graphql"
    path.write_text("type Query { é: Int }", encoding="utf-8")
    source = FileSource(path)

    assert source.read() == "type Query { é: Int }"
    assert source.look() == source.read_stamps


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_has_a_code(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "supergraph.graphql"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(SourceError) as raised:
        FileSource(path).read()

    assert raised.value.code == "UNREADABLE_FILE"
    assert str(path) in str(raised.value)


def test_a_write_a_rename_and_a_swapped_link_are_changes(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    for folder in (first, second):
        folder.mkdir()
        (folder / "supergraph.graphql").write_text("same length")
    data, link = tmp_path / "..data", tmp_path / "supergraph.graphql"
    data.symlink_to("1")
    link.symlink_to("..data/supergraph.graphql")
    source = FileSource(link)
    source.read()

    (first / "supergraph.graphql").write_text("longer than before")
    written = source.look() != source.read_stamps
    source.read()
    (first / "new").write_text("longer than before")
    (first / "new").replace(first / "supergraph.graphql")
    renamed = source.look() != source.read_stamps
    source.read()
    (tmp_path / "..tmp").symlink_to("2")
    (tmp_path / "..tmp").replace(data)
    swapped = source.look() != source.read_stamps

    assert (written, renamed, swapped) == (True, True, True)
    assert source.read() == "same length"


def test_a_file_that_appears_is_a_change(tmp_path: Path) -> None:
    source = FileSource(tmp_path / "supergraph.graphql")
    with pytest.raises(SourceError):
        source.read()
    assert source.look() == source.read_stamps

    (tmp_path / "supergraph.graphql").write_text("here")

    assert source.look() != source.read_stamps


def test_what_is_written_while_it_is_read_is_a_change(tmp_path: Path) -> None:
    path = tmp_path / "supergraph.graphql"
    path.write_text("before")
    os.utime(path, (1, 1))
    source = FileSource(path)
    source.read()

    path.write_text("during")  # the stamp is from before the first byte

    assert source.look() != source.read_stamps


def test_a_configuration_is_composed_and_its_schemas_are_watched(config: Path) -> None:
    source = ConfigSource(config)

    supergraph = load_supergraph(source.read())
    schema = config.parent / "users.graphql"
    schema.write_text("type Query { me: String you: String }")

    assert list(supergraph.subgraphs) == ["users"]
    assert set(source.read_stamps) == {config, schema}
    assert source.look() != source.read_stamps
    assert "you" in source.read()


def test_a_schema_that_is_named_later_is_watched(config: Path) -> None:
    source = ConfigSource(config)
    source.read()
    config.write_text("subgraphs: {users: {routing_url: http://u, schema: {file: other.graphql}}}")

    with pytest.raises(SourceError, match=r"CONFIG_FILE_MISSING: .*other\.graphql"):
        source.read()
    (config.parent / "other.graphql").write_text(USERS)

    assert source.look() != source.read_stamps
    source.read()


def test_what_does_not_compose_has_all_codes(config: Path) -> None:
    config.write_text(
        "subgraphs:\n  a: {routing_url: http://a, schema: {sdl: '}'}}"
        "\n  b: {routing_url: http://b, schema: {sdl: '{'}}"
    )

    with pytest.raises(SourceError) as raised:
        ConfigSource(config).read()

    assert raised.value.code == "INVALID_GRAPHQL"
    assert len(raised.value.problems) >= 2
    assert all(line.startswith("INVALID_GRAPHQL: ") for line in raised.value.problems)


def test_hints_are_told(config: Path) -> None:
    config.write_text(
        """
        subgraphs:
          a: {routing_url: http://a, schema: {sdl: '"one" type Query { a: Int }'}}
          b: {routing_url: http://b, schema: {sdl: '"two" type Query { b: Int }'}}
        """
    )
    hints: list[CompositionHint] = []

    ConfigSource(config, hints.append).read()

    assert "INCONSISTENT_DESCRIPTION" in {hint.code.value for hint in hints}
