"""The federation cases: one folder per feature, with subgraphs, operations and the plans they must
get.

<feature>/README.md              what is at stake
<feature>/subgraphs/*.graphql    a subgraph per file
<feature>/<name>.graphql         an operation; ``# labels: a, b`` above it switches overrides on
<feature>/<name>.plan            the plan it must get, in the usual text form, or why it gets none
<feature>/data.py                ``subgraphs()``: the subgraphs with data, if there are answers
<feature>/<name>[.variant].json  variables, caller, and the answer (perhaps in parts) and requests
                                 they lead to
<feature>/data-only              there if the feature cannot be shown with generated data
"""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from typing_extensions import override

from router.server.access.identity import Identity
from tests.federation.harness import DataSubgraph

__all__ = ["Answer", "Case", "Feature", "features"]

ROOT = Path(__file__).parent


@dataclass(frozen=True)
class Answer:
    """What an operation of a feature must come to with the feature's own data."""

    feature: Feature
    path: Path

    @property
    def operation(self) -> str:
        """The text of the operation."""
        return self.path.with_name(self.path.name.split(".")[0] + ".graphql").read_text()

    @cached_property
    def _content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.path.read_text())
        unknown = content.keys() - {"caller", "variables", "data", "errors", "parts", "requests"}
        assert not unknown, f"{self}: {unknown}"
        return content

    @property
    def variables(self) -> dict[str, Any]:
        """The client's variables."""
        variables: dict[str, Any] = self._content.get("variables", {})
        return variables

    @property
    def caller(self) -> Identity | None:
        """Who asks: scopes and policies, as the token has them; by default nobody knows."""
        caller: dict[str, list[str]] | None = self._content.get("caller")
        if caller is None:
            return None
        return Identity(
            subject="7",
            claims={},
            scopes=frozenset(caller.get("scopes", ())),
            policies=frozenset(caller.get("policies", ())),
        )

    @property
    def data(self) -> Any:
        """The data expected."""
        return self._content["data"]

    @property
    def parts(self) -> list[dict[str, Any]] | None:
        """The deferred parts expected, by path and label; None: the client takes no parts."""
        parts: list[dict[str, Any]] | None = self._content.get("parts")
        return parts

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The errors expected: path (none for a refusal), code, perhaps message."""
        errors: list[dict[str, Any]] = self._content.get("errors", [])
        return errors

    @property
    def requests(self) -> dict[str, int]:
        """How often each subgraph is asked; those not named are not asked."""
        requests: dict[str, int] = self._content["requests"]
        return requests

    @override
    def __str__(self) -> str:
        return f"{self.feature.name}/{self.path.stem}"


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
    def labels(self) -> frozenset[str]:
        """The override labels that are on, of the operation's first line: ``# labels: a, b``."""
        first = self.operation.partition("\n")[0]
        if not first.startswith("# labels:"):
            return frozenset()
        return frozenset(label.strip() for label in first.partition(":")[2].split(","))

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

    @property
    def answers(self) -> list[Answer]:
        """The expected answers, by name."""
        return [Answer(self, path) for path in sorted((ROOT / self.name).glob("*.json"))]

    @property
    def data_only(self) -> bool:
        """Whether generated data cannot show the feature: only its own data is used then."""
        return (ROOT / self.name / "data-only").exists()

    @classmethod
    def of(cls, file: str) -> Feature:
        """The feature that a file (``__file__``) belongs to."""
        return cls(Path(file).parent.name)

    def data_subgraphs(self) -> list[DataSubgraph]:
        """The subgraphs with the feature's data, new for every call."""
        module = importlib.import_module(f"tests.federation.{self.name}.data")
        subgraphs: list[DataSubgraph] = module.subgraphs()
        return subgraphs


def features() -> list[Feature]:
    """All features that have subgraphs and operations."""
    return [
        Feature(folder.name)
        for folder in sorted(ROOT.iterdir())
        if (folder / "subgraphs").is_dir() and any(folder.glob("*.graphql"))
    ]
