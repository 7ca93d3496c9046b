from __future__ import annotations

from subgraphs.users.service.refresh_tokens import RefreshToken, new_salt
from tests.support.subgraphs import new_id


def test_tokens_are_read_as_they_were_written() -> None:
    token = RefreshToken.new(new_id(7))

    assert RefreshToken.parse(token.text, slots=256) == token
    assert token.is_stored_as(token.hash)
    assert token != RefreshToken.new(token.session_id)


def test_a_successor_takes_both_the_token_and_the_salt() -> None:
    token, salt = RefreshToken.new(new_id(7)), new_salt()
    successor = token.successor(salt)

    assert successor == token.successor(salt)
    assert RefreshToken.parse(successor.text, slots=256) == successor
    others = {token.successor(new_salt()).text, RefreshToken.new(new_id(7)).successor(salt).text}
    assert len({token.text, successor.text, *others}) == 4
