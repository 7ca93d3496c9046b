"""Both subgraphs name the same medium, a book; the viewer's song and book are of one side only."""

from __future__ import annotations

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs


def subgraphs() -> list[DataSubgraph]:
    """Movies and songs agree about what they share; the shelves know where books are."""
    book = {"__typename": "Book", "isbn": "i1", "title": "The Book"}
    movie = {"__typename": "Movie", "title": "The Movie", "minutes": 90}
    song = {"__typename": "Song", "title": "The Song", "singer": "Ida"}
    movies = DataSubgraph(
        "movies",
        SDL["movies"],
        root={"media": book, "book": book, "viewer": {"media": book, "book": movie}},
        entities={"Book": [book]},
    )
    songs = DataSubgraph(
        "songs",
        SDL["songs"],
        root={"media": book, "book": book, "viewer": {"media": book, "song": song}},
        entities={"Book": [book]},
    )
    place = {"isbn": "i1", "shelf": 7}
    shelves = DataSubgraph(
        "shelves", SDL["shelves"], root={"shelf": [place]}, entities={"Book": [place]}
    )
    return [movies, songs, shelves]
