"""Articles, comments on them by slug, and their layout by issue and page.

The comments know no title, the layout knows no slug.
"""

from __future__ import annotations

from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs

ARTICLES: list[dict[str, Any]] = [
    {"slug": "tide", "title": "Tide", "issue": {"number": 3, "month": "May"}, "page": 1},
    {"slug": "moor", "title": "Moor", "issue": {"number": 3, "month": "May"}, "page": 2},
]
COMMENTS = {"tide": ["First!", "Lovely"], "moor": []}


def _comments(slug: str) -> list[dict[str, Any]]:
    return [
        {"id": f"{slug}{number}", "text": text, "article": {"slug": slug}}
        for number, text in enumerate(COMMENTS[slug])
    ]


def subgraphs() -> list[DataSubgraph]:
    """The owner of the articles and two that extend them, one in Federation 1 syntax."""
    articles = DataSubgraph(
        "articles",
        SDL["articles"],
        root={"articles": ARTICLES},
        entities={"Article": ARTICLES, "Issue": [{"number": 3, "month": "May"}]},
    )
    comments = DataSubgraph(
        "comments",
        SDL["comments"],
        root={"latest": _comments("tide")},
        entities={"Article": [{"slug": slug} for slug in COMMENTS]},
        resolvers={"Article.comments": lambda article, _: _comments(article["slug"])},
    )
    fronts = [{"issue": {"number": 3}, "page": 1, "columns": 4}]
    layout = DataSubgraph(
        "layout", SDL["layout"], root={"fronts": fronts}, entities={"Article": fronts}
    )
    return [articles, comments, layout]
