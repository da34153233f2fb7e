# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the measuring programs on viewpoints, in the background and safe against the loss of the session."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Sequence
from pathlib import Path

from ..model.errors import DeviceError, ProbeError
from .host import ClockOffset, Host

#: A program that nobody stops ends by itself after this time, so that a lost controller leaves no load.
MAX_RUN_S = 1800.0
#: Two clocks may drift apart by this much within one measurement; more, and one of them stood still.
CLOCK_DRIFT_S = 0.05
_DIRECTORY = re.compile(r"/tmp/stretchnet-probe\.[A-Za-z0-9]{8}")
_PROGRAMS = Path(__file__).parent / "programs"
#: Unpacks {file name: text} into a package beside what it will record. One round trip, whatever the number of files.
_UNPACK = (
    "import json,os,sys\n"
    "folder=os.path.join(sys.argv[1],'programs')\n"
    "os.mkdir(folder)\n"
    "for name,text in json.load(sys.stdin).items(): open(os.path.join(folder,name),'w').write(text)\n"
)
#: $1 is the directory, the rest the program. setsid: it outlives the session.
_LAUNCH = 'cd "$1" && shift && { setsid "$@" >log 2>&1 </dev/null & echo $!; }'


class BackgroundProgram:
    """One of the programs in the folder beside this file, by its name there, running on a host.

    ``start`` copies and launches it; ``tail`` shows its newest lines; ``collect`` ends it, fetches what it
    recorded and removes every trace of it from the host.
    """

    def __init__(self, host: Host, program: str, arguments: Sequence[str], *, max_run_s: float = MAX_RUN_S) -> None:
        self.host = host
        self._program = f"programs.{program}"
        self._arguments = (*arguments, "--seconds", f"{max_run_s:g}")
        self._directory = ""
        self._pid = 0
        self.clock = ClockOffset(0.0, float("inf"))
        #: How long the host's own clock stood still meanwhile: it is a machine that was paused.
        self.clock_stood_s = 0.0

    def start(self) -> None:
        """Copy the program there and launch it; measure the host's clock."""
        self.clock = self.host.clock()
        directory = self.host.run(["mktemp", "-d", "/tmp/stretchnet-probe.XXXXXXXX"]).strip()
        if not _DIRECTORY.fullmatch(directory):
            raise ProbeError("mktemp did not answer with a directory", device=self.host.name)
        self._directory = directory
        files = {path.name: path.read_text(encoding="utf-8") for path in _PROGRAMS.glob("*.py")}
        self.host.run(["python3", "-c", _UNPACK, directory], json.dumps(files))
        launch = ["python3", "-m", self._program, *self._arguments, "--output", "series", "--stop", "stop"]
        pid = self.host.run(["sh", "-c", _LAUNCH, "sh", directory, *launch]).strip()
        if not pid.isdigit():
            raise ProbeError("the program could not be started", device=self.host.name)
        self._pid = int(pid)

    def tail(self, size: int = 65536) -> str:
        """Return the newest ``size`` bytes of what it recorded, from the first whole line on."""
        text = self._read(["tail", "-c", str(size), f"{self._directory}/series"])
        return text.partition("\n")[2] if len(text) >= size else text

    def lines(self) -> list[str]:
        """Return the newest lines of what it recorded, with their ends."""
        return self.tail().splitlines(keepends=True)

    def wait_for_output(self, timeout_s: float = 10.0) -> None:
        """Return when the first lines are there; ProbeError if none come or the program gave up."""
        deadline_s = time.monotonic() + timeout_s
        while time.monotonic() < deadline_s:
            text = self.tail()
            if text.startswith("x "):
                raise ProbeError(f"cannot measure: {text[2:].strip()}", device=self.host.name)
            if "\n" in text:
                return
            if not self.alive():
                break
            time.sleep(0.1)
        log = self._read(["tail", "-c", "500", f"{self._directory}/log"]).strip().split("\n")[-1]
        raise ProbeError(f"the probe gave no output: {log or 'no message'}", device=self.host.name)

    def alive(self) -> bool:
        """Say whether the program still runs."""
        try:
            self.host.run(["kill", "-0", str(self._pid)])
        except DeviceError:
            return False
        return True

    def collect(self, timeout_s: float = 10.0) -> str:
        """End the program, return all that it recorded, and remove its files; a second call returns nothing."""
        if not self._directory:
            return ""
        try:
            self._stop(timeout_s)
            text = self.host.run(["cat", f"{self._directory}/series"], timeout_s=60.0)
            self._compare_clocks()
        finally:
            self._remove()
        return text

    def _compare_clocks(self) -> None:
        before, after = self.clock, self.host.clock()
        stood_s = after.offset_s - before.offset_s
        if stood_s > CLOCK_DRIFT_S + before.error_s + after.error_s:
            self.clock_stood_s = stood_s
        self.clock = min(before, after, key=lambda clock: clock.error_s)

    def _stop(self, timeout_s: float) -> None:
        self.host.run(["touch", f"{self._directory}/stop"])
        deadline_s = time.monotonic() + timeout_s
        while self.alive():
            if time.monotonic() > deadline_s:
                self.host.run(["kill", "-KILL", str(self._pid)])
                return
            time.sleep(0.1)

    def _remove(self) -> None:
        with contextlib.suppress(DeviceError):
            self.host.run(["rm", "-rf", "--", self._directory])
            self._directory = ""

    def _read(self, argv: Sequence[str]) -> str:
        try:
            return self.host.run(argv)
        except DeviceError:
            return ""  # not written yet
