# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SONiC session's scripts, run by a real shell on a device whose own commands are stood in for.

``config``, ``vtysh``, ``sonic-cfggen``, ``systemd-run`` and ``systemctl`` are small programs that keep CONFIG_DB
in a file and imitate SONiC's generic updater (checkpoint, rollback, apply-patch, replace; HLD "Generic updater
and rollback"). The timer fires only when the test says so.
"""

from __future__ import annotations

import copy
import ipaddress
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import (
    CommitError,
    CommitExpiredError,
    PendingCommitError,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Device, Role
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import CommitState, Credentials
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.frr.shell import Output
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.sessions import name_of
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.sonic import PLATFORM
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.sonic import session as module

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]
from stretch_scenarios import attached, change, two_sites  # noqa: E402
from test_sonic_render import BARE, FRR, patched  # noqa: E402

DEVICE = Device("leaf-a", "a", Role.LEAF, "sonic", 65001, None, ipaddress.ip_address("10.1.0.11"))
TOOL = f"""#!{sys.executable}
import json, os, shutil, sys
sys.path[:0] = {[str(HERE), str(HERE.parent)]!r} + {sys.path!r}
home = os.path.dirname(os.path.abspath(__file__))
db, tool, argv = home + "/db.json", os.path.basename(__file__), sys.argv[1:]
def refuse(words):
    print(words, file=sys.stderr)
    sys.exit(1)
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
    elif verb == "replace":
        shutil.copy(rest[0], db)
    elif verb == "apply-patch":
        from test_sonic_render import patched
        if os.path.exists(home + "/refuse"):
            refuse("Failed to apply patch: Validate JsonPatch failed")
        new = patched(json.load(open(db)), json.load(open(rest[0])))
        json.dump(new, open(db, "w"))
elif tool == "sonic-cfggen":
    print(open(db).read())
elif tool == "vtysh":
    if argv[:1] == ["-c"]:
        print(open(home + "/frr").read() if "running" in argv[1] else "")
    else:
        text = sys.stdin.read()
        open(home + "/vtysh.log", "a").write(text)
        if "refused" in text:
            print("% Unknown command: refused")
elif tool == "systemd-run":
    unit = next(a.split("=", 1)[1] for a in argv if a.startswith("--unit="))
    open(home + "/timer-" + unit, "w").write(argv[-1])
elif tool == "systemctl":
    if argv[0] == "stop":
        path = home + "/timer-" + argv[1].removesuffix(".timer")
        os.path.exists(path) and os.remove(path)
    else:
        sys.exit(3)
"""


class Box:
    """A folder that is the device; in place of its SSH shell."""

    alive = True

    def __init__(self, home: Path) -> None:
        self.home = home
        for tool in ("config", "vtysh", "sonic-cfggen", "systemd-run", "systemctl"):
            (home / tool).write_text(TOOL)
            (home / tool).chmod(0o755)
        (home / "frr").write_text(FRR)
        self.db = BARE

    @property
    def db(self) -> Any:
        return json.loads((self.home / "db.json").read_text())

    @db.setter
    def db(self, value: Any) -> None:
        (self.home / "db.json").write_text(json.dumps(value))

    def run(self, command: str, *, stdin: str = "", timeout_s: float | None = None) -> Output:
        text = stdin.replace("/usr/local/bin/", f"{self.home}/")
        environment = {**os.environ, "PATH": f"{self.home}:{os.environ['PATH']}"}
        done = subprocess.run(["sh", "-es"], input=text, text=True, capture_output=True, env=environment, check=False)
        return Output(command, done.returncode, done.stdout, done.stderr)

    def fire(self) -> None:
        """Let the timers fire."""
        for timer in self.home.glob("timer-*"):
            script = Path(timer.read_text()).read_text()
            timer.unlink()
            self.run("back", stdin=script)


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    monkeypatch.setattr(module, "STATE", str(tmp_path / "state"))
    (tmp_path / "bin").mkdir()
    return Box(tmp_path / "bin")


def session(box: Box) -> module.SonicSession:
    found = PLATFORM.session(DEVICE, Credentials("127.0.0.1"))
    found._shell = box  # type: ignore[assignment]
    return found


def candidate(found: module.SonicSession) -> str:
    fabric = two_sites("sonic", "Ethernet48", "Ethernet52")
    wanted = change(attachments=attached("Ethernet0", "Ethernet4"))
    return PLATFORM.render(wanted, fabric, fabric.device("leaf-a"), found.config()).apply


def test_armed_then_confirmed_by_a_later_session(box: Box) -> None:
    first = session(box)
    text = candidate(first)
    assert "systemd timer" in first.diff(text)
    status = first.arm("t", text, 60)
    assert status.state is CommitState.PENDING and 0 < (status.remaining_s or 0) <= 60
    assert box.db == patched(BARE, json.loads(text)["patch"])
    assert "vni 10100" in (box.home / "vtysh.log").read_text()
    later = session(box)
    later.confirm("t")
    later.confirm("t")
    box.fire()
    assert "Vlan100" in box.db["VLAN"] and (box.home / "saved.json").exists()
    assert later.status("t").state is CommitState.CONFIRMED


def test_not_confirmed_goes_back_by_itself(box: Box) -> None:
    before = copy.deepcopy(box.db)
    found = session(box)
    found.arm("t", candidate(found), 60)
    with pytest.raises(PendingCommitError):
        found.arm("u", candidate(found), 60)
    box.fire()
    assert box.db == before
    assert (box.home / "vtysh.log").read_text().strip().endswith("no vni 10100\nend")
    assert found.status("t").state is CommitState.REVERTED
    with pytest.raises(CommitExpiredError):
        found.confirm("t")
    found.revert("t")


def test_reverted_by_hand(box: Box) -> None:
    before = copy.deepcopy(box.db)
    found = session(box)
    found.arm("t", candidate(found), 60)
    found.revert("t")
    found.revert("t")
    assert box.db == before and found.status("t").state is CommitState.REVERTED


@pytest.mark.parametrize("fault", ["refuse", "full"])
def test_a_refusal_leaves_the_device_as_it_was(box: Box, fault: str) -> None:
    before = copy.deepcopy(box.db)
    found = session(box)
    text = candidate(found)
    (box.home / fault).touch()
    with pytest.raises(CommitError, match="leaf-a"):
        found.arm("t", text, 60)
    assert box.db == before
    assert not list(box.home.glob("timer-*"))


def test_a_line_that_frr_refuses(box: Box) -> None:
    before = copy.deepcopy(box.db)
    found = session(box)
    document = json.loads(candidate(found))
    document["frr"] += "refused\n"
    with pytest.raises(CommitError, match="refused the change"):
        found.arm("t", json.dumps(document), 60)
    assert box.db == before


def test_reboot_with_a_commit_pending(box: Box) -> None:
    found = session(box)
    found.arm("t", candidate(found), 60)
    (Path(module.STATE) / name_of("t") / "boot").write_text("another\n")
    assert found.status("t").state is CommitState.REVERTED
