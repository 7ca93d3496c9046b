"""Books of which only some have an isbn; `authors` and `loans` throw on a key that is null."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs
AUTHORS = {"i1": {"id": "a1", "name": "Ann"}, "i3": {"id": "a3", "name": "Cid"}}


def _written(representation: Mapping[str, Any], _: object) -> dict[str, Any]:
    isbn = representation["isbn"]
    if isbn is None:
        raise AssertionError("asked for the book without an isbn")
    words = 1000 * int(isbn[1:])
    return {"__typename": "Book", "isbn": isbn, "author": AUTHORS[isbn], "words": words}


def _lent(representation: Mapping[str, Any], _: object) -> dict[str, Any]:
    print_ = representation["print"]
    if print_ is None or None in print_.values():
        raise AssertionError("asked for a book without a complete print")
    return {**representation, "lent": print_["year"] - 2000}


def subgraphs() -> list[DataSubgraph]:
    """Shelf, editions, authors and loans."""
    books = [{"upc": f"b{number}", "shelf": number} for number in range(1, 5)]
    shelf = DataSubgraph(
        "shelf",
        SDL["shelf"],
        root={
            "books": books,
            "pair": [books[1], None, books[2], books[0]],
            "rare": books[3],
        },
        entities={"Book": books},
    )
    known: list[dict[str, Any]] = [
        {"upc": "b1", "isbn": "i1", "print": {"code": "x", "year": 2001}},
        {"upc": "b2", "isbn": None, "print": {"code": "y", "year": 2002}},
        {"upc": "b3", "isbn": "i3", "print": {"code": None, "year": 2003}},
        {"upc": "b4", "isbn": None, "print": None},
    ]
    editions = DataSubgraph("editions", SDL["editions"], entities={"Book": known})
    authors = DataSubgraph(
        "authors",
        SDL["authors"],
        root={"bestseller": {"isbn": "i1", "words": 1000, "author": AUTHORS["i1"]}},
        resolvers={"Book.__resolveReference": _written},
    )
    loans = DataSubgraph("loans", SDL["loans"], resolvers={"Book.__resolveReference": _lent})
    return [shelf, editions, authors, loans]
