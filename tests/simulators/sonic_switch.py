# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated SONiC switch: a real shell, whose ``config``, ``vtysh``, ``sonic-cfggen`` and systemd are stood in for.

The small programs keep CONFIG_DB in a file and imitate SONiC's generic updater (checkpoint, rollback, apply-patch,
replace; HLD "Generic updater and rollback") and systemd-run(1): a timer fires at its time, or when ``fire`` says so.
"""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.frr import frrconf
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.sonic.session import STATE

from . import sonic_state
from .surroundings import Surroundings

_TOOL = f"""#!{sys.executable}
import json, os, shutil, sys
home = os.path.dirname(os.path.abspath(__file__))
db, tool, argv = home + "/db.json", os.path.basename(__file__), sys.argv[1:]
def refuse(words):
    print(words, file=sys.stderr)
    sys.exit(1)
def patch(tables, operations):
    for operation in operations:
        *parents, last = [p.replace("~1", "/").replace("~0", "~") for p in operation["path"].split("/")[1:]]
        where = tables
        for parent in parents:
            if parent not in where:
                refuse("Failed to apply patch: member " + parent + " not found")
            where = where[parent]
        if operation["op"] == "remove":
            del where[last]
        else:
            where[last] = operation["value"]
    if not all(tables.values()):
        refuse("Failed to apply patch: an empty table")
    return tables
if tool == "config":
    verb, *rest = argv
    if verb == "checkpoint":
        if os.path.exists(home + "/full"):
            refuse("No space left on device")
        shutil.copy(db, home + "/cp-" + rest[0])
    elif verb == "rollback":
        shutil.copy(home + "/cp-" + rest[0], db)
    elif verb == "delete-checkpoint":
        os.remove(home + "/cp-" + rest[0])
    elif verb == "save":
        shutil.copy(db, home + "/saved.json")
        shutil.copy(home + "/frr", home + "/frr-saved")
    elif verb == "replace":
        shutil.copy(rest[0], db)
    elif verb == "apply-patch":
        if os.path.exists(home + "/refuse"):
            refuse("Failed to apply patch: Validate JsonPatch failed")
        new = patch(json.load(open(db)), json.load(open(rest[0])))
        json.dump(new, open(db, "w"))
elif tool == "sonic-cfggen":
    print(open(db).read())
elif tool == "ip":
    print(open(home + "/answers/" + " ".join(["ip", *argv])).read(), end="")
elif tool == "show":
    answer = home + "/answers/" + " ".join(argv).replace("/", "_")
    sys.exit(refuse("Error: No such command")) if not os.path.exists(answer) else print(open(answer).read(), end="")
elif tool == "vtysh":
    if argv[:1] == ["-c"]:
        answer = home + "/answers/vtysh " + argv[1].replace("/", "_")
        if "running" in argv[1]:
            print("Building configuration...\\n\\nCurrent configuration:\\n!\\n" + open(home + "/frr").read() + "end")
        elif os.path.exists(answer):
            print(open(answer).read(), end="")
    else:
        text = sys.stdin.read()
        open(home + "/vtysh.log", "a").write(text)
        open(home + "/typed", "a").write("" if "refused" in text else text)
        if "refused" in text:
            print("% Unknown command: refused")
elif tool == "systemd-run":
    words = dict(a.lstrip("-").split("=", 1) for a in argv if "=" in a)
    json.dump({{"after_s": float(words["on-active"]), "script": argv[-1]}}, open(home + "/timer-" + words["unit"], "w"))
elif tool == "systemctl":
    if argv[0] == "stop":
        path = home + "/timer-" + argv[1].removesuffix(".timer")
        os.path.exists(path) and os.remove(path)
    else:
        sys.exit(3)
"""
_TOOLS = ("config", "vtysh", "sonic-cfggen", "systemd-run", "systemctl", "show", "ip")


class SonicSwitch:
    """A folder that is the device: ``run`` takes a script as root's shell would.

    ``drop_at``: a script with these words ends the connection; it is run all the same. ``edit``: what becomes of the
    standard output of a script. ``around``: what it hears of a fabric; alone it says only what ``answer`` was given.
    """

    def __init__(self, home: Path, db: dict[str, Any], frr: str, around: Surroundings | None = None) -> None:
        self.home, self.around = home, around
        (home / "answers").mkdir(parents=True)
        for tool in _TOOLS:
            (home / tool).write_text(_TOOL)
            (home / tool).chmod(0o755)
        (home / "frr").write_text(frr)
        (home / "frr-saved").write_text(frr)
        (home / "boot_id").write_text("first\n")
        (home / "meminfo").write_text("MemTotal: 16000000 kB\nMemFree: 8000000 kB\nMemAvailable: 12000000 kB\n")
        self.db = db
        self._first = copy.deepcopy(db)
        self._lock = threading.RLock()
        self._started: dict[str, float] = {}
        self.drop_at = ""
        self.delay_s = 0.0
        self.edit: Callable[[str, str], str] = lambda script, out: out

    @property
    def db(self) -> Any:
        """CONFIG_DB as it runs."""
        return json.loads((self.home / "db.json").read_text())

    @db.setter
    def db(self, value: Any) -> None:
        (self.home / "db.json").write_text(json.dumps(value))

    @property
    def running(self) -> sonic_state.Running:
        """Both halves of the configuration as they run."""
        return {"config_db": self.db, "frr": (self.home / "frr").read_text()}

    @property
    def full(self) -> bool:
        """No space is left for a checkpoint."""
        return (self.home / "full").exists()

    @full.setter
    def full(self, value: bool) -> None:
        (self.home / "full").touch() if value else (self.home / "full").unlink()

    def answer(self, command: str, text: str) -> None:
        """Let ``show …`` or ``vtysh …`` say this."""
        (self.home / "answers" / command.removeprefix("show ").replace("/", "_")).write_text(text)

    def program(self, script: str) -> tuple[int, str, str] | None:
        """Run a script as the SSH server is asked to; None: the connection is lost meanwhile."""
        time.sleep(self.delay_s)
        cut = bool(self.drop_at) and self.drop_at in script
        code, out, err = self.run(script)
        if cut:
            self.drop_at = ""
            return None
        return code, self.edit(script, out), err

    def run(self, script: str) -> tuple[int, str, str]:
        """Run a script; timers whose time has come fire before it."""
        with self._lock:
            self.tick()
            if self.around is not None:
                for command, text in sonic_state.answers(self.running, self.around).items():
                    self.answer(command, text)
            done = self._shell(script)
            self._configure_frr()
            for timer in self.home.glob("timer-*"):
                self._started.setdefault(timer.name, time.monotonic())
            return done

    def _shell(self, script: str) -> tuple[int, str, str]:
        text = script.replace("/usr/local/bin/", f"{self.home}/").replace(STATE, str(self.home / "state"))
        text = text.replace("/proc/sys/kernel/random/boot_id", str(self.home / "boot_id"))
        text = text.replace("/proc/meminfo", str(self.home / "meminfo"))
        environment = {**os.environ, "PATH": f"{self.home}:{os.environ['PATH']}"}
        done = subprocess.run(["sh", "-es"], input=text, text=True, capture_output=True, env=environment, check=False)
        return done.returncode, done.stdout, done.stderr

    def tick(self) -> None:
        """Let the timers fire whose time has come."""
        for timer in self.home.glob("timer-*"):
            wait_s = json.loads(timer.read_text())["after_s"]
            if time.monotonic() - self._started.get(timer.name, time.monotonic()) >= wait_s:
                self._fire(timer)

    def fire(self) -> None:
        """Let all timers fire now."""
        with self._lock:
            for timer in self.home.glob("timer-*"):
                self._fire(timer)

    def _fire(self, timer: Path) -> None:
        script = Path(json.loads(timer.read_text())["script"]).read_text()
        timer.unlink()
        self._started.pop(timer.name, None)
        self._shell(script)
        self._configure_frr()

    def _configure_frr(self) -> None:
        """Take in what was typed into vtysh since the last time."""
        typed = self.home / "typed"
        if typed.exists():
            lines = [line for line in typed.read_text().splitlines() if line not in ("configure terminal", "end")]
            typed.unlink()
            merged = frrconf.merge((self.home / "frr").read_text(), "\n".join(lines) + "\n")
            (self.home / "frr").write_text(merged.removesuffix("end\n"))

    def reboot(self) -> None:
        """Start again from what was saved; timers are gone with the boot."""
        saved = self.home / "saved.json"
        self.db = json.loads(saved.read_text()) if saved.exists() else self._first
        (self.home / "frr").write_text((self.home / "frr-saved").read_text())
        for timer in self.home.glob("timer-*"):
            timer.unlink()
        (self.home / "boot_id").write_text("another\n")
