"""The npm packages of this folder, installed once."""

from __future__ import annotations

import fcntl
import shutil
import subprocess

import pytest

from tests.node.run import FOLDER


@pytest.fixture(scope="session")
def npm_packages() -> None:
    """Run `npm ci` unless what the lock file asks for is there; skip where that cannot be done."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("needs Node.js and npm")
    lock = FOLDER / "package-lock.json"
    installed = FOLDER / "node_modules" / ".package-lock.json"  # npm writes it last
    with (FOLDER / "package.json").open() as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)  # other test processes wait for the one that installs
        if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
            return
        done = subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
            cwd=FOLDER,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        pytest.skip(f"npm ci failed: {done.stderr.strip().splitlines()[-1:]}")
