"""A timeline of photos and notes; when a photo was posted is stale there."""

from __future__ import annotations

from typing import Any

from tests.federation.cases import Feature
from tests.federation.harness import DataSubgraph

SDL = Feature.of(__file__).subgraphs


def subgraphs() -> list[DataSubgraph]:
    """The timeline, and the photos with clips that the timeline does not know."""
    reply: dict[str, Any] = {
        "__typename": "Photo",
        "id": "p2",
        "postedAt": "STALE",
        "replies": None,
    }
    note = {
        "__typename": "Note",
        "id": "n1",
        "postedAt": "1990",
        "replies": [reply],
        "text": "Hello",
    }
    photo = {"__typename": "Photo", "id": "p1", "postedAt": "STALE", "replies": [note]}
    timeline = DataSubgraph(
        "timeline",
        SDL["timeline"],
        root={"timeline": [photo, None, note, reply], "pinned": note},
        entities={"Photo": [photo, reply], "Note": [note]},
    )
    taken = [
        {"__typename": "Photo", "id": "p1", "postedAt": "2001", "width": 640},
        {"__typename": "Photo", "id": "p2", "postedAt": "2002", "width": 800},
    ]
    clip = {
        "__typename": "Clip",
        "id": "v1",
        "postedAt": "2003",
        "replies": [],
        "width": 320,
        "seconds": 9,
    }
    photos = DataSubgraph(
        "photos",
        SDL["photos"],
        root={"album": [taken[1], clip], "cover": taken[0]},
        entities={"Photo": taken, "Clip": [clip]},
    )
    return [timeline, photos]
