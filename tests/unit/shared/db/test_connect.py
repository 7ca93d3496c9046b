"""Shard addresses."""

from __future__ import annotations

import pytest

from shared.db.connect import asyncpg_arguments, asyncpg_url
from shared.errors import OperatorError


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+asyncpg", "postgresql+psycopg"])
def test_a_postgresql_url_becomes_asyncpgs_arguments(scheme: str) -> None:
    url = f"{scheme}://app:se%40cret@/users?host=/run/postgres&port=5433&prepared_statement_cache_size=5"

    assert asyncpg_url(url).drivername == "postgresql+asyncpg"
    assert asyncpg_arguments(url) == {
        "user": "app",
        "password": "se@cret",
        "database": "users",
        "host": "/run/postgres",
        "port": 5433,
    }


@pytest.mark.parametrize("url", ["", "secret", "mysql://app:secret@db/users", "http://secret"])
def test_another_address_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(OperatorError) as raised:
        asyncpg_url(url)

    assert "secret" not in str(raised.value)
