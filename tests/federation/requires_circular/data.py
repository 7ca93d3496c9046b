"""Posts and answers: one subgraph has the years of an author, the other rates by them.

Each has a wrong value for what it requires of the other.
"""

from __future__ import annotations

from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs


def subgraphs() -> list[DataSubgraph]:
    """Posts (with the authors' years) and experts (with ratings)."""
    answers = [
        {"id": "q1", "text": "Yes", "rating": -1},
        {"id": "q2", "text": "No", "rating": -1},
        {"id": "q3", "text": "Maybe", "rating": -1},
    ]
    ann: dict[str, Any] = {"id": "a1", "yearsIn": 20, "name": "Ann", "answers": answers[:1]}
    ben: dict[str, Any] = {"id": "a2", "yearsIn": 1, "name": "Ben", "answers": answers[1:2]}
    writers = {"a1": ann, "a2": ben}
    feed: list[dict[str, Any]] = [
        {"id": "p1", "author": ann, "byExp": False},
        {"id": "p2", "author": ben, "byExp": True},
        {"id": "p3", "author": None, "byExp": True},
    ]
    posts = DataSubgraph(
        "posts",
        SDL["posts"],
        root={"feed": feed, "inbox": answers, "writer": lambda id: writers.get(id)},  # noqa: A006
        entities={"Author": [ann, ben], "Post": feed, "Answer": answers},
        resolvers={
            "Post.byNov": lambda post, _: None if post["byExp"] is None else not post["byExp"],
            "Answer.trusted": lambda answer, _: (
                None if answer["rating"] is None else answer["rating"] > 10
            ),
        },
    )
    rated: list[dict[str, Any]] = [
        {"id": "q1", "by": {"id": "a1", "yearsIn": -1}},
        {"id": "q2", "by": {"id": "a2", "yearsIn": -1}},
        {"id": "q3", "by": None},
    ]
    experts = DataSubgraph(
        "experts",
        SDL["experts"],
        root={"rated": rated},
        entities={
            "Post": [{"id": post["id"], "author": {"yearsIn": -1}} for post in feed],
            "Answer": rated,
        },
        resolvers={
            "Post.byExp": lambda post, _: (
                None if post["author"] is None else post["author"]["yearsIn"] > 10
            ),
            "Answer.rating": lambda answer, _: (
                None if answer["by"] is None else answer["by"]["yearsIn"] * 2
            ),
        },
    )
    return [posts, experts]
