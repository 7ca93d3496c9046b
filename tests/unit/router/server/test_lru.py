"""The cache bounded in entries and weight."""

from router.server.lru import LruCache


def test_forgets_the_least_recently_used_entry() -> None:
    cache: LruCache[str, int] = LruCache(max_entries=2, max_weight=100)
    cache.put("a", 1, 1)
    cache.put("b", 2, 1)

    assert cache.get("a") == 1
    cache.put("c", 3, 1)

    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (1, None, 3)


def test_is_bounded_by_weight_however_few_the_entries() -> None:
    cache: LruCache[str, int] = LruCache(max_entries=100, max_weight=10)
    cache.put("a", 1, 4)
    cache.put("b", 2, 4)

    cache.put("c", 3, 6)

    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (None, 2, 3)


def test_does_not_keep_what_is_too_heavy_alone() -> None:
    cache: LruCache[str, int] = LruCache(max_entries=100, max_weight=10)
    cache.put("a", 1, 4)

    cache.put("huge", 2, 11)

    assert (cache.get("a"), cache.get("huge"), len(cache)) == (1, None, 1)


def test_replacing_an_entry_counts_its_weight_once() -> None:
    cache: LruCache[str, int] = LruCache(max_entries=100, max_weight=10)
    for value in range(5):
        cache.put("a", value, 6)
    cache.put("b", 9, 4)

    assert (cache.get("a"), cache.get("b")) == (4, 9)


def test_the_hottest_are_those_found_most_often() -> None:
    cache: LruCache[str, int] = LruCache(max_entries=10, max_weight=10)
    for key in "abcd":
        cache.put(key, 1, 1)
    for key in "baab":
        cache.get(key)
    cache.get("c")

    assert cache.hottest(3) == ["b", "a", "c"]
    assert cache.hottest(0) == []
    assert set(cache.hottest(100)) == set("abcd")
