"""Seeds an embedded system with demo data once, and finishes an interrupted seeding.

What was decided at the first attempt (the anchor in time) is kept in `demo.json` of the data
folder, so that a second attempt makes the same rows, and the first one's are recognised.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shared.auth import PasswordHashing
from socialnet.demo.dataset import DEFAULT_SEED, make_dataset
from socialnet.demo.load import load_dataset
from socialnet.demo.people import DEMO_PASSWORD

if TYPE_CHECKING:
    from pathlib import Path

    from shared.sharding import Topology


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seeding:
    """Content of `demo.json`."""

    anchor: str
    seed: int
    done: bool


async def seed(file: Path, *, users_topology: Topology, posts_topology: Topology) -> None:
    """Write the demo data unless `file` says that it is complete."""
    state = await asyncio.to_thread(_read, file)
    if state.done:
        return
    dataset = make_dataset(
        datetime.fromisoformat(state.anchor), slots=users_topology.slots, seed=state.seed
    )
    await load_dataset(
        dataset,
        users_topology=users_topology,
        posts_topology=posts_topology,
        password_hash=await PasswordHashing().hash(DEMO_PASSWORD),
    )
    await asyncio.to_thread(_write, file, _Seeding(anchor=state.anchor, seed=state.seed, done=True))


def is_seeded(file: Path) -> bool:
    """Whether the demo data is there and complete."""
    return file.exists() and _Seeding(**json.loads(file.read_text())).done


def _read(file: Path) -> _Seeding:
    if file.exists():
        return _Seeding(**json.loads(file.read_text()))
    state = _Seeding(anchor=datetime.now(UTC).isoformat(), seed=DEFAULT_SEED, done=False)
    _write(file, state)
    return state


def _write(file: Path, state: _Seeding) -> None:
    partial = file.with_name(f"{file.name}.new")
    partial.write_text(json.dumps(asdict(state), indent=2) + "\n")
    partial.rename(file)
