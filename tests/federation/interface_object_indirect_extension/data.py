"""Reviews of two films and an album; `cinemas` throws on what is no film."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph
from tests.federation.harness.inventive import InventiveSubgraph

SDL = Feature.of(__file__).subgraphs
SCREENS = {"m1": 12, "m3": 0}


def _film(representation: Mapping[str, Any], _: object) -> dict[str, Any]:
    return {
        "__typename": "Film",
        "id": representation["id"],
        "screens": SCREENS[representation["id"]],
    }


def subgraphs() -> list[DataSubgraph]:
    """Reviews refer to media, the library has them, cinemas and covers add to them."""
    films = [
        {"__typename": "Film", "id": "m1", "title": "Playtime", "minutes": 124},
        {"__typename": "Film", "id": "m3", "title": "Trafic", "minutes": 96},
    ]
    album = {"__typename": "Album", "id": "m2", "title": "Pastel Blues", "tracks": 9}
    reviews = InventiveSubgraph(
        "reviews",
        SDL["reviews"],
        root={
            "reviews": [
                {"stars": 5, "about": {"id": "m1"}},
                {"stars": 4, "about": {"id": "m2"}},
                {"stars": 1, "about": None},
                {"stars": 3, "about": {"id": "m3"}},
                {"stars": 2, "about": {"id": "m1"}},
            ]
        },
        invented={"Media": "Something"},
    )
    library = DataSubgraph(
        "library",
        SDL["library"],
        root={"newest": films[0]},
        entities={"Film": films, "Album": [album]},
    )
    cinemas = DataSubgraph(
        "cinemas",
        SDL["cinemas"],
        root={"showing": [{"id": "m1", "screens": 12}]},
        resolvers={"Film.__resolveReference": _film},
    )
    pictures = {number: {"id": number, "image": f"{number}.jpg"} for number in ("m1", "m2", "m3")}
    covers = InventiveSubgraph(
        "covers",
        SDL["covers"],
        root={"cover": lambda of: pictures[of]},
        entities={"Media": list(pictures.values())},
        invented={"Media": "Picture"},
    )
    return [reviews, library, cinemas, covers]
