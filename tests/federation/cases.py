"""The federation cases: one folder per feature, with subgraphs, operations and the plans they must
get.

<feature>/README.md            what is at stake
<feature>/subgraphs/*.graphql  a subgraph per file
<feature>/<name>.graphql       an operation
<feature>/<name>.plan          the plan it must get, in the usual text form
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

__all__ = ["Case", "Feature", "features"]

ROOT = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """One operation of a feature."""

    feature: Feature
    path: Path

    @property
    def operation(self) -> str:
        """The text of the operation."""
        return self.path.read_text()

    @property
    def plan_file(self) -> Path:
        """Where the expected plan is."""
        return self.path.with_suffix(".plan")

    @override
    def __str__(self) -> str:
        return f"{self.feature.name}/{self.path.stem}"


@dataclass(frozen=True)
class Feature:
    """One folder."""

    name: str

    @property
    def subgraphs(self) -> dict[str, str]:
        """Name -> SDL."""
        files = sorted((ROOT / self.name / "subgraphs").glob("*.graphql"))
        return {path.stem: path.read_text() for path in files}

    @property
    def cases(self) -> list[Case]:
        """The operations, by name."""
        return [Case(self, path) for path in sorted((ROOT / self.name).glob("*.graphql"))]


def features() -> list[Feature]:
    """All features that have subgraphs and operations."""
    return [
        Feature(folder.name)
        for folder in sorted(ROOT.iterdir())
        if (folder / "subgraphs").is_dir() and any(folder.glob("*.graphql"))
    ]
