"""Made-up users, placed as registration places them: by the hash of the e-mail."""

from __future__ import annotations

import random
from dataclasses import dataclass

from shared.sharding import EntityId, slot_for

__all__ = ["Person", "people"]

_SYLLABLES = ("an", "be", "chi", "do", "el", "fa", "gu", "ha", "io", "ka", "lu", "mi", "no", "ra")


@dataclass(frozen=True, slots=True)
class Person:
    """A user to be."""

    id: EntityId
    email: str
    handle: str
    name: str

    @property
    def row(self) -> tuple[object, ...]:
        """slot, id, email, handle, display_name, search_name, bio."""
        return (
            int(self.id.slot),
            self.id.uuid,
            self.email,
            self.handle,
            self.name.title(),
            self.name,
            "",
        )


def people(count: int, *, slots: int) -> list[Person]:
    """So many users; the same names in every run."""
    rnd = random.Random(2026)
    found = []
    for number in range(count):
        name = " ".join("".join(rnd.choices(_SYLLABLES, k=3)) for _ in range(2))
        handle = f"{name.replace(' ', '_')}_{number}"[:30]
        email = f"{handle}@example.com"
        found.append(Person(EntityId.new(slot_for(email, slots)), email, handle, name))
    return found
