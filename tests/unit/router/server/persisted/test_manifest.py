"""Manifests of persisted documents, in Apollo's and Relay's format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from router.server.persisted.manifest import ManifestError, read_manifests


def manifest(path: Path, content: Any) -> Path:
    path.write_bytes(orjson.dumps(content))
    return path


def apollo(*operations: Any) -> dict[str, Any]:
    return {
        "format": "apollo-persisted-query-manifest",
        "version": 1,
        "operations": list(operations),
    }


def test_reads_both_formats_into_one_list(tmp_path: Path) -> None:
    files = [
        manifest(
            tmp_path / "apollo.json",
            apollo({"id": "sha256:aa", "name": "A", "type": "query", "body": "query A { a }"}),
        ),
        manifest(tmp_path / "relay.json", {"bb": "query B { b }", "aa": "query A { a }"}),
    ]

    read = read_manifests(files)

    assert read.by_id == {"aa": "query A { a }", "bb": "query B { b }"}
    assert read.texts == {"query A { a }", "query B { b }"}


def test_an_empty_manifest_allows_nothing(tmp_path: Path) -> None:
    assert read_manifests([manifest(tmp_path / "a.json", {})]).texts == frozenset()


def test_an_id_with_two_documents_is_refused(tmp_path: Path) -> None:
    files = [
        manifest(tmp_path / "a.json", {"x": "{ a }"}),
        manifest(tmp_path / "b.json", {"sha256:x": "{ b }"}),
    ]

    with pytest.raises(ManifestError, match=r"b\.json: the id 'sha256:x' has two different"):
        read_manifests(files)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "not a JSON object"),
        ({"a": 1}, "must be strings"),
        ({"": "{ a }"}, "must be strings"),
        ({"format": "other", "version": 1, "operations": []}, "not of format"),
        ({**apollo(), "version": 2}, "not of format"),
        ({**apollo(), "operations": {}}, "no list 'operations'"),
        (apollo("text"), "not an object"),
        (apollo({"id": "a"}), "must be strings"),
        (apollo({"body": "{ a }"}), "must be strings"),
    ],
)
def test_refuses_what_is_no_manifest(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        read_manifests([manifest(tmp_path / "a.json", content)])


def test_refuses_what_cannot_be_read(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"a": ')

    with pytest.raises(ManifestError, match="not valid JSON"):
        read_manifests([broken])
    with pytest.raises(ManifestError, match="cannot be read: No such file"):
        read_manifests([tmp_path / "missing.json"])
