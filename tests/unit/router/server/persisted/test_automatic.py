"""Automatic persisted queries: bounded memory, honest hashes, a store shared by workers."""

from __future__ import annotations

import hashlib

import pytest

from router.server.errors import RequestError, RequestErrorCode
from router.server.persisted.automatic import AutomaticDocuments


class Store:
    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.asked: list[str] = []

    async def get(self, digest: str) -> str | None:
        self.asked.append(digest)
        return self.texts.get(digest)

    async def put(self, digest: str, text: str) -> None:
        self.texts[digest] = text

    async def aclose(self) -> None:
        pass


async def find(documents: AutomaticDocuments, digest: str) -> str | None:
    return documents.recall(digest) or await documents.find(digest)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def automatic(
    store: Store | None = None, max_bytes: int = 10_000
) -> tuple[AutomaticDocuments, list[str]]:
    outcomes: list[str] = []
    return AutomaticDocuments(max_bytes=max_bytes, store=store, count=outcomes.append), outcomes


async def test_a_registered_text_is_found_by_its_hash() -> None:
    documents, outcomes = automatic()

    assert await find(documents, digest("{ ä }")) is None
    await documents.register(digest("{ ä }"), "{ ä }")
    await documents.register(digest("{ ä }"), "{ ä }")

    assert await find(documents, digest("{ ä }")) == "{ ä }"
    assert outcomes == ["miss", "registered", "hit"]


@pytest.mark.parametrize("wrong", ["", "00", digest("{ b }"), digest("{ a }").upper()])
async def test_a_wrong_hash_is_refused_and_registers_nothing(wrong: str) -> None:
    documents, outcomes = automatic()

    with pytest.raises(RequestError) as caught:
        await documents.register(wrong, "{ a }")

    assert caught.value.code == RequestErrorCode.PERSISTED_QUERY_HASH_MISMATCH
    assert await find(documents, wrong) is None
    assert outcomes == ["miss"]


async def test_memory_is_bounded_by_bytes() -> None:
    documents, _ = automatic(max_bytes=10_000)
    texts = [f"{{ a{number} }}" + " " * 2_000 for number in range(10)]

    for text in texts:
        await documents.register(digest(text), text)
    await documents.register(digest(" " * 20_000), " " * 20_000)

    kept = [text for text in texts if await find(documents, digest(text)) is not None]
    assert kept == texts[-4:]
    assert await find(documents, digest(" " * 20_000)) is None


async def test_workers_find_each_others_texts_once() -> None:
    store = Store()
    one, _ = automatic(store)
    other, outcomes = automatic(store)
    await one.register(digest("{ a }"), "{ a }")

    assert await find(other, digest("{ a }")) == "{ a }"
    assert await find(other, digest("{ a }")) == "{ a }"

    assert outcomes == ["shared_hit", "hit"]
    assert store.asked == [digest("{ a }")]


async def test_a_text_that_the_store_has_wrong_is_not_used() -> None:
    store = Store()
    store.texts[digest("{ a }")] = "{ evil }"
    documents, outcomes = automatic(store)

    assert await find(documents, digest("{ a }")) is None
    assert outcomes == ["miss"]


async def test_only_hashes_are_looked_up_in_the_store() -> None:
    store = Store()
    documents, _ = automatic(store)

    assert await find(documents, "x" * 65) is None
    assert await find(documents, "../" + "0" * 61) is None
    assert store.asked == []
