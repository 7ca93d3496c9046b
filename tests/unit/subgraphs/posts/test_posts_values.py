from __future__ import annotations

import pytest

from subgraphs.posts.service.values import tags_of


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("no tags", ()),
        ("#One #two #one", ("one", "two")),
        ("(#wrapped), #end.", ("wrapped", "end")),
        ("we are #1 of #2024, says #web2", ("web2",)),
        ("mid#dle, a/#path, &#38; ##double", ()),
        ("#привет #日本語 #snake_case", ("привет", "日本語", "snake_case")),
        (f"#{'x' * 64} #{'y' * 65}", ("x" * 64,)),
        ("#", ()),
        ("# space", ()),
    ],
)
def test_hashtags_are_found(text: str, tags: tuple[str, ...]) -> None:
    assert tags_of(text) == tags


def test_a_post_has_a_bounded_number_of_tags() -> None:
    assert len(tags_of(" ".join(f"#tag{number}" for number in range(100)))) == 30
