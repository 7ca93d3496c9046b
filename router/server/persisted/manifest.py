"""Manifests: files of the documents that clients were built with.

Two formats are read: Apollo's ``apollo-persisted-query-manifest`` (an object with ``format``,
``version`` and a list ``operations`` of ``id`` and ``body``), and Relay's map of ids to texts. Ids
are opaque; a prefix ``sha256:``, which GraphQL over HTTP has for hashes, is left out on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["Manifest", "ManifestError", "plain_id", "read_manifests"]

_APOLLO_FORMAT = "apollo-persisted-query-manifest"
_APOLLO_VERSION = 1
_HASH_PREFIX = "sha256:"


class ManifestError(Exception):
    """A manifest cannot be used; the text says which one and why."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Documents by plain id, and the set of their texts."""

    by_id: dict[str, str] = field(default_factory=dict)
    texts: frozenset[str] = frozenset()


def plain_id(identifier: str) -> str:
    """Return a document's id as manifests are searched for it."""
    return identifier.removeprefix(_HASH_PREFIX)


def read_manifests(paths: Sequence[Path]) -> Manifest:
    """Read all files into one manifest; raises ManifestError, also for an id with two texts."""
    by_id: dict[str, str] = {}
    for path in paths:
        for identifier, text in _documents(path):
            known = by_id.setdefault(plain_id(identifier), text)
            if known != text:
                raise ManifestError(f"{path}: the id '{identifier}' has two different documents")
    return Manifest(by_id, frozenset(by_id.values()))


def _documents(path: Path) -> Iterator[tuple[str, str]]:
    try:
        parsed: Any = orjson.loads(path.read_bytes())
    except OSError as error:
        raise ManifestError(f"{path} cannot be read: {error.strerror or error}") from None
    except orjson.JSONDecodeError as error:
        raise ManifestError(f"{path} is not valid JSON: {error}") from None
    if not isinstance(parsed, dict):
        raise ManifestError(f"{path} is not a JSON object")
    pairs = _apollo(path, parsed) if "format" in parsed else iter(parsed.items())
    for identifier, text in pairs:
        if not isinstance(identifier, str) or not isinstance(text, str) or not identifier:
            raise ManifestError(f"{path}: ids and documents must be strings (at '{identifier}')")
        yield identifier, text


def _apollo(path: Path, parsed: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    if parsed["format"] != _APOLLO_FORMAT or parsed.get("version") != _APOLLO_VERSION:
        raise ManifestError(f"{path} is not of format '{_APOLLO_FORMAT}', version 1")
    operations = parsed.get("operations")
    if not isinstance(operations, list):
        raise ManifestError(f"{path} has no list 'operations'")
    for operation in operations:
        if not isinstance(operation, dict):
            raise ManifestError(f"{path}: an operation is not an object")
        yield operation.get("id"), operation.get("body")
