"""The subgraph `reviews`: what readers say of books. `uvicorn reviews:app --port 5002`.

It adds fields to `Book` knowing nothing of a book but its ISBN; title and year stay with `catalog`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator  # noqa: TC003 - Strawberry reads it at run time

import strawberry
from strawberry.asgi import GraphQL


@strawberry.federation.type(keys=["isbn"])
class Book:
    """A book as this subgraph sees it."""

    isbn: strawberry.ID

    @strawberry.field
    def reviews(self) -> list[Review]:
        """All reviews of the book."""
        return [review for review in _REVIEWS if review.isbn == self.isbn]

    @strawberry.field
    def rating(self) -> float | None:
        """The mean of all stars."""
        stars = [review.stars for review in _REVIEWS if review.isbn == self.isbn]
        return sum(stars) / len(stars) if stars else None


@strawberry.type
class Review:
    """An opinion."""

    isbn: strawberry.Private[str]
    stars: int
    text: str

    @strawberry.field
    def book(self) -> Book:
        """The book; whatever else is asked of it, the router fetches from `catalog`."""
        return Book(isbn=strawberry.ID(self.isbn))


_REVIEWS = (
    Review(isbn="9780142437247", stars=5, text="Come for the whale, stay for the rope."),
    Review(isbn="9780142437247", stars=3, text="A lot of rope."),
    Review(isbn="9780141439518", stars=5, text="Nobody listens to Mary, and so they should."),
)


@strawberry.type
class Query:
    """What can be asked of the reviews."""

    @strawberry.field
    def best_reviews(self) -> list[Review]:
        """Those with five stars."""
        return [review for review in _REVIEWS if review.stars == 5]


@strawberry.type
class Subscription:
    """What can be watched."""

    @strawberry.subscription
    async def review_of_the_moment(self) -> AsyncIterator[Review]:
        """One review after the other, all over again."""
        while True:
            for review in _REVIEWS:
                yield review
                await asyncio.sleep(1)


schema = strawberry.federation.Schema(
    query=Query, subscription=Subscription, federation_version="2.11"
)
app: GraphQL[object, None] = GraphQL(schema)
