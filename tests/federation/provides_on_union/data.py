"""One root provides the titles of books, another has them of its own, a third has none at all.

By key the providing subgraph gives wrong titles, and all have them wrong for films.
"""

from __future__ import annotations

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs

BOOK = {"__typename": "Book", "id": "b1", "title": "Emma"}
MOVIE = {"__typename": "Movie", "id": "m1", "title": "Alien"}
OTHER = {"__typename": "Movie", "id": "m2", "title": "Solaris"}


def subgraphs() -> list[DataSubgraph]:
    """Three subgraphs with the same root, and the catalogue with all the titles."""
    wrong = [{**movie, "title": "WRONG"} for movie in (MOVIE, OTHER)]
    media = [wrong[0], BOOK, wrong[1]]
    shelf = DataSubgraph(
        "shelf", SDL["shelf"], root={"media": media}, entities={"Book": [BOOK], "Movie": wrong}
    )
    titles = DataSubgraph(
        "titles",
        SDL["titles"],
        root={"media": media, "newest": [{**BOOK, "title": "WRONG"}, wrong[0]]},
        entities={"Book": [{**BOOK, "title": "WRONG"}], "Movie": wrong},
    )
    catalogue = DataSubgraph(
        "catalogue", SDL["catalogue"], entities={"Book": [BOOK], "Movie": [MOVIE, OTHER]}
    )
    seated = [{**MOVIE, "title": "WRONG", "seats": 80}, {**OTHER, "title": "WRONG", "seats": 40}]
    booths = DataSubgraph(
        "booths",
        SDL["booths"],
        root={"media": [seated[0], {**BOOK, "title": "WRONG"}, seated[1]]},
        entities={"Movie": seated, "Book": [BOOK]},
    )
    return [booths, shelf, titles, catalogue]
