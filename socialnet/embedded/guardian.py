"""The guardian: a small process that owns one postmaster, so that none outlives its program.

    program ──stdin pipe──► guardian ──► postgres

The program holds the only write end of the guardian's stdin. However the program ends (return,
exception, SIGTERM, SIGKILL, power of a debugger), the kernel closes that pipe; the guardian reads
end-of-file and stops postgres. Commands come over the same pipe, one per line: `fast`, `immediate`
or `kill`. End-of-file and SIGTERM mean `fast`; a stop that takes too long becomes `immediate`, and
then `kill`. When postgres has ended, the guardian removes the folders named by `--remove` and ends
with the same exit code (128 + signal when a signal ended it).

On Linux postgres also asks the kernel for a SIGINT (a fast stop) should the guardian itself be
killed. The guardian runs in a session of its own: Ctrl-C at the terminal reaches the program only,
which then stops things in its order.

This file is run by path with `python -I`, so it imports nothing but the standard library.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

STOP_SIGNALS = {
    "fast": signal.SIGINT,
    "immediate": signal.SIGQUIT,
    "kill": signal.SIGKILL,
}
_ESCALATION = tuple(STOP_SIGNALS.values())
_PR_SET_PDEATHSIG = 1


class Guardian:
    """One postmaster and the rules by which it is stopped."""

    def __init__(self, postgres: subprocess.Popen[bytes], *, patience: float) -> None:
        """`patience`: seconds that a stop may take before the next stronger signal is sent."""
        self._postgres = postgres
        self._patience = patience
        self._sent = -1  # index into _ESCALATION; a stop never becomes gentler
        self._deadline: float | None = None

    def watch(self, commands: int, child_ended: int) -> int:
        """Wait for commands (a pipe) and the end of postgres; return an exit code."""
        sources = [commands, child_ended]
        while self._postgres.poll() is None:
            ready, _, _ = select.select(sources, [], [], self._remaining())
            if child_ended in ready and b"T" in _drain(child_ended):
                self.stop(STOP_SIGNALS["fast"])
            if commands in ready:
                data = os.read(commands, 4096)
                if not data:
                    sources.remove(commands)
                self._obey(data)
            if self._deadline is not None and time.monotonic() >= self._deadline:
                self.stop(_ESCALATION[self._sent + 1])
        code = self._postgres.returncode
        return code if code >= 0 else 128 - code

    def stop(self, with_signal: signal.Signals) -> None:
        """Send a stop signal unless an equal or stronger one was sent, and set the deadline."""
        strength = _ESCALATION.index(with_signal)
        if strength <= self._sent:
            return
        self._sent = strength
        last = strength == len(_ESCALATION) - 1
        self._deadline = None if last else time.monotonic() + self._patience
        with contextlib.suppress(ProcessLookupError):
            self._postgres.send_signal(with_signal)

    def _obey(self, data: bytes) -> None:
        for word in data.decode("ascii", "replace").split() or ["fast"]:
            self.stop(STOP_SIGNALS.get(word, signal.SIGINT))

    def _remaining(self) -> float | None:
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())


def main(arguments: Sequence[str] | None = None) -> int:
    """Start postgres, write its process id to stdout, watch it; see the module's docstring."""
    options = _parse(arguments)
    woken, wake = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wake, False)
    _install_signals(wake)
    try:
        postgres = subprocess.Popen(  # noqa: S603 - what the program asked for
            options.command,
            user=options.user,
            group=options.group,
            extra_groups=None if options.user is None else [],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=None,  # inherited: the program points it at the log file
            preexec_fn=_follow_guardian(),
        )
    except OSError as error:
        _say(f"error: {error}")
        return 127
    _say(str(postgres.pid))
    code = Guardian(postgres, patience=options.patience).watch(sys.stdin.fileno(), woken)
    for folder in options.remove:
        shutil.rmtree(folder, ignore_errors=True)
    return code


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="guardian", allow_abbrev=False)
    parser.add_argument("--user", type=int)
    parser.add_argument("--group", type=int)
    parser.add_argument("--patience", type=float, default=10.0)
    parser.add_argument("--remove", type=Path, action="append", default=[])
    parser.add_argument("command", nargs="+")
    return parser.parse_args(arguments)


def _install_signals(wake: int) -> None:
    """SIGCHLD and SIGTERM wake the loop through a pipe; the terminal's signals are not for us."""

    def note(number: int, _frame: object) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(wake, b"T" if number == signal.SIGTERM else b"C")

    signal.signal(signal.SIGCHLD, note)
    signal.signal(signal.SIGTERM, note)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _follow_guardian() -> Callable[[], None]:
    """What postgres does between fork and exec: default signals, and death after ours (Linux).

    An ignored SIGINT or SIGHUP would be inherited over exec. The C library is loaded here, in the
    parent: a forked child should not do more than it must.
    """
    prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None

    def prepare() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        if prctl is not None:
            prctl(_PR_SET_PDEATHSIG, signal.SIGINT)

    return prepare


def _drain(pipe: int) -> bytes:
    try:
        return os.read(pipe, 4096)
    except BlockingIOError:
        return b""


def _say(line: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), f"{line}\n".encode())


if __name__ == "__main__":
    sys.exit(main())
