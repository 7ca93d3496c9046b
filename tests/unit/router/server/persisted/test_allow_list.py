"""The allow-list follows its files, and survives bad ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from router.server.errors import RouterConfigError
from router.server.persisted.allow_list import AllowList


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "manifest.json"
    path.write_text('{"a": "{ a }"}')
    return path


def write(path: Path, content: str | None) -> None:
    path.unlink(missing_ok=True)
    if content is not None:
        path.write_text(content)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def listed(file: Path, clock: Clock) -> AllowList:
    return AllowList([file], check_interval=5.0, clock=clock)


def test_finds_documents_by_id_with_and_without_the_prefix(listed: AllowList) -> None:
    assert listed.find("a") == "{ a }"
    assert listed.find("sha256:a") == "{ a }"
    assert listed.find("b") is None
    assert len(listed) == 1


def test_allows_documents_to_the_letter(listed: AllowList) -> None:
    assert listed.allows("{ a }")
    assert not listed.allows("{a}")


async def test_sees_a_change_when_it_is_time_to_look(
    listed: AllowList, file: Path, clock: Clock
) -> None:
    write(file, '{"a": "{ a }", "b": "{ b }"}')

    clock.now = 4.9
    await listed.refresh()
    assert listed.find("b") is None

    clock.now = 5.0
    await listed.refresh()
    assert listed.find("b") == "{ b }"


async def test_sees_a_symbolic_link_that_points_elsewhere(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "one.json").write_text('{"a": "{ one }"}')
    (tmp_path / "two.json").write_text('{"a": "{ two }"}')
    link = tmp_path / "link.json"
    link.symlink_to("one.json")
    listed = AllowList([link], check_interval=5.0, clock=clock)

    (tmp_path / "new").symlink_to("two.json")
    (tmp_path / "new").replace(link)
    clock.now = 5.0
    await listed.refresh()

    assert listed.find("a") == "{ two }"


@pytest.mark.parametrize("content", ["{", None])
async def test_a_bad_manifest_changes_nothing(
    listed: AllowList, file: Path, clock: Clock, content: str | None
) -> None:
    write(file, content)
    clock.now = 5.0
    await listed.refresh()
    assert listed.find("a") == "{ a }"

    write(file, '{"c": "{ c }"}')
    clock.now = 10.0
    await listed.refresh()
    assert (listed.find("a"), listed.find("c")) == (None, "{ c }")


def test_a_bad_manifest_at_the_start_is_an_error_of_configuration(tmp_path: Path) -> None:
    with pytest.raises(RouterConfigError, match=r"persisted documents: .*cannot be read"):
        AllowList([tmp_path / "missing.json"], check_interval=5.0)
