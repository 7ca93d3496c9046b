"""Which document a request means, by text, hash or id, and whether it may run."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from router.server.errors import RequestError, RequestErrorCode, RouterConfigError
from router.server.pipeline.identify import DocumentFinder
from router.server.pipeline.read import GraphQLRequest
from router.server.settings import PersistedDocuments, RouterSettings
from router.server.telemetry import Metrics

LISTED = "query Listed { a }"
OTHER = "query Other { b }"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Finder:
    """A finder with its metrics."""

    def __init__(self, tmp_path: Path, **settings: Any) -> None:
        file = tmp_path / "manifest.json"
        file.write_bytes(orjson.dumps({digest(LISTED): LISTED, "custom": LISTED}))
        chosen = RouterSettings(persisted_documents_files=(file,), **settings)
        self.metrics = Metrics(max_operation_labels=1)
        self.documents = DocumentFinder(chosen, self.metrics)

    async def find(self, **members: Any) -> str:
        return await self.documents.find(GraphQLRequest(**members))

    async def refusal(self, **members: Any) -> RequestError:
        with pytest.raises(RequestError) as caught:
            await self.find(**members)
        return caught.value

    def count(self, outcome: str) -> float:
        labels = {"outcome": outcome}
        return (
            self.metrics.registry.get_sample_value("router_persisted_documents_total", labels) or 0
        )


async def test_a_hash_is_learnt_with_its_text(tmp_path: Path) -> None:
    finder = Finder(tmp_path)

    unknown = await finder.refusal(digest=digest(OTHER))
    assert (unknown.code, unknown.status, str(unknown)) == (
        RequestErrorCode.PERSISTED_QUERY_NOT_FOUND,
        200,
        "PersistedQueryNotFound",
    )
    assert await finder.find(query=OTHER, digest=digest(OTHER)) == OTHER
    assert await finder.find(digest=digest(OTHER)) == OTHER


async def test_nothing_is_learnt_when_that_is_off(tmp_path: Path) -> None:
    finder = Finder(tmp_path, apq=False)

    assert await finder.find(query=OTHER, digest="any") == OTHER
    refusal = await finder.refusal(digest=digest(OTHER))
    assert refusal.code == RequestErrorCode.PERSISTED_QUERY_NOT_SUPPORTED
    assert str(refusal) == "PersistedQueryNotSupported"


async def test_without_the_list_its_ids_mean_nothing(tmp_path: Path) -> None:
    refusal = await Finder(tmp_path).refusal(document_id=digest(LISTED))

    assert refusal.code == RequestErrorCode.PERSISTED_QUERY_NOT_SUPPORTED


@pytest.mark.parametrize("mode", [PersistedDocuments.REPORT, PersistedDocuments.ENFORCE])
@pytest.mark.parametrize(
    "members",
    [
        {"document_id": f"sha256:{digest(LISTED)}"},
        {"document_id": "custom"},
        {"digest": digest(LISTED)},
        {"query": LISTED},
        {"query": LISTED, "digest": digest(LISTED)},
    ],
)
async def test_a_document_of_the_list_runs(
    tmp_path: Path, mode: PersistedDocuments, members: dict[str, str]
) -> None:
    finder = Finder(tmp_path, persisted_documents=mode)

    assert await finder.find(**members) == LISTED
    assert finder.count("reported") == finder.count("refused") == 0


async def test_enforcing_refuses_all_other_texts(tmp_path: Path) -> None:
    finder = Finder(tmp_path, persisted_documents="enforce")

    for members in ({"query": OTHER}, {"query": OTHER, "digest": digest(OTHER)}):
        refusal = await finder.refusal(**members)
        assert (refusal.code, refusal.status) == (RequestErrorCode.QUERY_NOT_IN_SAFELIST, 400)
    for members in ({"document_id": "no"}, {"digest": digest(OTHER)}):
        refusal = await finder.refusal(**members)
        assert refusal.code == RequestErrorCode.PERSISTED_QUERY_NOT_IN_LIST
    assert (finder.count("refused"), finder.count("not_listed")) == (2, 2)


async def test_reporting_lets_other_texts_run_and_logs_each_once(tmp_path: Path) -> None:
    finder = Finder(tmp_path, persisted_documents="report")

    with capture_logs() as logs:
        assert await finder.find(query=OTHER, operation_name="Other") == OTHER
        assert await finder.find(query=OTHER) == OTHER
        assert await finder.find(query=OTHER, digest=digest(OTHER)) == OTHER
        assert await finder.find(digest=digest(OTHER)) == OTHER

    assert finder.count("reported") == 4
    assert logs == [
        {
            "event": "document not in the allow-list",
            "log_level": "warning",
            "operation": "Other",
            "sha256": digest(OTHER),
            "refused": False,
        }
    ]


def test_a_list_without_files_is_an_error_of_configuration() -> None:
    settings = RouterSettings(persisted_documents=PersistedDocuments.ENFORCE)

    with pytest.raises(RouterConfigError, match="needs persisted_documents_files"):
        DocumentFinder(settings, Metrics(max_operation_labels=1))
