"""The subgraph `catalog`: the books themselves. `uvicorn catalog:app --port 5001`."""

from __future__ import annotations

import strawberry
from strawberry.asgi import GraphQL


@strawberry.federation.type(keys=["isbn"])
class Book:
    """A book; other subgraphs know it by its ISBN."""

    isbn: strawberry.ID
    title: str
    year: int

    @classmethod
    def resolve_reference(cls, isbn: strawberry.ID) -> Book | None:
        """Called for a book that another subgraph has mentioned."""
        return _BOOKS.get(isbn)


_BOOKS = {
    book.isbn: book
    for book in (
        Book(isbn=strawberry.ID("9780141439600"), title="A Tale of Two Cities", year=1859),
        Book(isbn=strawberry.ID("9780141439518"), title="Pride and Prejudice", year=1813),
        Book(isbn=strawberry.ID("9780142437247"), title="Moby-Dick", year=1851),
    )
}


@strawberry.type
class Query:
    """What can be asked of the catalog."""

    @strawberry.field
    def books(self) -> list[Book]:
        """All books."""
        return list(_BOOKS.values())


schema = strawberry.federation.Schema(query=Query, federation_version="2.11")
app: GraphQL[object, None] = GraphQL(schema)
