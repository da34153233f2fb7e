# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The live display: what it follows, and what a person sees of it on a real terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import types
import typing
from datetime import datetime, timezone
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.journal import Act, Entry
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.progress import JournalTail, summary

callback = pytest.importorskip("ansible_collections.stretchnet.fabric.plugins.callback.progress")
#: Where the collection is imported from, whatever folder the checkout is in.
COLLECTIONS = Path(sys.modules[JournalTail.__module__].__file__ or "").parents[6]
ROOT = Path(__file__).resolve().parents[3]


def _line(act: Act, message: str, at_s: float, **where: typing.Any) -> str:
    at = datetime.fromtimestamp(at_s, tz=timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({**vars(Entry(at, act, message, **where)), "act": act.value}) + "\n"


def _armed(at_s: float) -> str:
    return "".join(
        (
            _line(Act.BEGIN, "change C: 1 stages", at_s),
            _line(Act.STAGE, "devices: leaf-a1, leaf-a2", at_s, stage="leaves-a"),
            _line(Act.ARMED, "armed, goes back by itself in 900 s", at_s, stage="leaves-a", device="leaf-a1"),
        )
    )


def test_tail_reads_whole_lines_once_and_survives_damage(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    tail = JournalTail(path)
    assert tail.poll() == 0
    path.write_text(_armed(1000.0) + '{"torn')
    assert tail.poll() == 3 and tail.poll() == 0
    assert tail.board.seconds_left(1100.0) == pytest.approx(800.0)
    with path.open("a") as file:
        file.write(' line"}\nno json\n' + _line(Act.CONFIRMED, "confirmed", 1200.0, device="leaf-a1"))
    assert tail.poll() == 1
    assert tail.board.confirmed == {"leaf-a1"} and tail.board.seconds_left(1200.0) is None


def test_a_new_attempt_begins_with_an_empty_board(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text(_armed(1000.0) + _line(Act.BACK, "x", 1001.0) + _line(Act.BEGIN, "change C: 1 stages", 2000.0))
    tail = JournalTail(path)
    tail.poll()
    assert summary(tail.board, 2000.0) == [("stage", "none yet")]


class _Task:
    def __init__(self, action: str) -> None:
        self.resolved_action = action

    def get_name(self) -> str:
        return "Apply"


def _plugin(monkeypatch: pytest.MonkeyPatch, run_dir: Path, **variables: typing.Any) -> typing.Any:
    plugin = callback.CallbackModule()
    monkeypatch.setattr(plugin, "get_option", {"run_dir": None, "refresh_s": 0.05}.__getitem__)
    manager = types.SimpleNamespace(get_vars=lambda play: {"stretchnet_run_dir": str(run_dir), **variables})
    plugin.v2_playbook_on_play_start(types.SimpleNamespace(get_variable_manager=lambda: manager))
    return plugin


def test_no_panel_without_a_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plugin = _plugin(monkeypatch, tmp_path)
    plugin.v2_playbook_on_task_start(_Task("stretchnet.fabric.stage"), False)
    assert plugin._panel is None and not callback.can_draw()


def test_panel_for_verbs_only_and_closed_with_the_result(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(callback, "can_draw", lambda: True)
    plugin = _plugin(monkeypatch, tmp_path)
    plugin.v2_playbook_on_task_start(_Task("ansible.builtin.debug"), False)
    assert plugin._panel is None
    plugin.v2_playbook_on_task_start(_Task("stretchnet.fabric.stage"), False)
    thread = plugin._panel._thread
    assert thread.is_alive()
    flow = {"viewpoint": "host-b", "summary": {"lost": 47, "sent": 1430}}
    plugin.v2_runner_on_ok(types.SimpleNamespace(result={"change_id": "CHG-7", "probes": [flow]}))
    assert plugin._panel is None and not thread.is_alive()
    assert plugin._packets == "host-b 47/1430" and plugin._change_id == "CHG-7"
    assert plugin._find_journal() == tmp_path / "CHG-7" / "journal.jsonl"


def test_the_newest_journal_is_followed_before_the_change_is_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plugin = _plugin(monkeypatch, tmp_path)
    assert plugin._find_journal() is None
    for name, at_s in (("CHG-1", 100), ("CHG-2", 300), ("CHG-3", 200)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "journal.jsonl").touch()
        os.utime(tmp_path / name / "journal.jsonl", (at_s, at_s))
    assert plugin._find_journal() == tmp_path / "CHG-2" / "journal.jsonl"


def test_a_template_is_no_run_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plugin = _plugin(monkeypatch, tmp_path, stretchnet_run_dir="{{ x }}")
    assert plugin._run_dir == Path("runs").absolute()


PLAY = """
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - name: Read the fabric
      stretchnet.fabric.survey:
        change: "{{ change }}"
"""


@pytest.fixture
def silent_port() -> typing.Iterator[int]:
    """A port that is answered and says nothing: a verb that talks to it takes its time."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    kept.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        for connection in kept:
            connection.close()


def _read_until(handle: int, wanted: str, timeout_s: float) -> str:
    """Return what the terminal showed until ``wanted`` was there; fail with it if it never is."""
    shown, end = "", time.monotonic() + timeout_s
    while wanted not in shown:
        ready, _unused, _unused = select.select([handle], [], [], max(0.0, end - time.monotonic()))
        assert ready, f"{wanted!r} is not shown: {shown[-3000:]}"
        try:
            data = os.read(handle, 65536)
        except OSError:  # the other end is closed
            data = b""
        assert data, f"ended without {wanted!r}: {shown[-3000:]}"
        shown += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", data.decode("utf-8", "replace"))
    return shown


def test_panel_on_a_real_terminal(tmp_path: Path, silent_port: int) -> None:
    """ansible-playbook in a terminal, a verb at work, a journal that moves on: the panel counts down."""
    pytest.importorskip("rich")
    run = tmp_path / "runs" / "CHG-2026-0100"
    run.mkdir(parents=True)
    journal = run / "journal.jsonl"
    journal.write_text(_armed(time.time()))
    play = tmp_path / "play.yml"
    play.write_text(PLAY)
    inventory = ROOT / "inventories" / "lab" / "hosts.yml"
    argv = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory), str(play)]
    argv += ["-e", f"change={ROOT}/inventories/lab/changes/stretch-vlan100.yml", "-e", f"ansible_port={silent_port}"]
    argv += ["-e", "ansible_host=127.0.0.1", "-e", f"stretchnet_run_dir={tmp_path}/runs"]
    # No lab need be up: these are looked for before a connection is made, and used only after the banner.
    for name, variable in (("id_ed25519", "ansible_ssh_private_key_file"), ("known", "stretchnet_known_hosts_file")):
        (tmp_path / name).touch(mode=0o600)
        argv += ["-e", f"{variable}={tmp_path / name}"]
    environment = {**os.environ, "ANSIBLE_CALLBACKS_ENABLED": "stretchnet.fabric.progress", "TERM": "xterm-256color"}
    environment |= {"ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "HOME": str(tmp_path), "COLUMNS": "120"}
    master, terminal = pty.openpty()
    process = subprocess.Popen(
        argv, stdin=terminal, stdout=terminal, stderr=terminal, env=environment, cwd=tmp_path, start_new_session=True
    )
    os.close(terminal)
    try:
        shown = _read_until(master, "dead-man timer", 90)
        assert "leaves-a" in shown + _read_until(master, "running for", 10)
        with journal.open("a") as file:
            file.write(_line(Act.ARMED, "armed, goes back by itself in 600 s", time.time(), device="leaf-a2"))
        _read_until(master, "2 of 2: leaf-a1, leaf-a2", 20)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=20)
        os.close(master)


#: A line that is displayed at the moment at which the panel is being drawn: each has its lock and wants the other's.
AT_ONCE = """
import os, sys, threading
from ansible.utils.display import Display
from ansible_collections.stretchnet.fabric.plugins.callback.progress import _Panel

drawing, writing = threading.Event(), threading.Event()

class Drawing:
    def __rich_console__(self, console, options):
        drawing.set()
        writing.wait(20)
        yield "the panel"

class Noted:
    def __init__(self, file):
        self.file = file
    def write(self, text):
        writing.set()
        return self.file.write(text)
    def __getattr__(self, name):
        return getattr(self.file, name)

display = Display()
panel = _Panel("Apply", lambda: None, "", 0.05)
panel._drawing = lambda tail: Drawing()
panel.start()
began = drawing.wait(20)
sys.stdout = Noted(sys.stdout)
line = threading.Thread(target=display.display, args=("one line",), daemon=True)
line.start()
line.join(10)
panel.stop()
sys.stderr.write(f"began {began} written {writing.is_set()} hangs {line.is_alive()} draws {panel._thread.is_alive()}")
sys.stderr.flush()
os._exit(0)
"""


def test_a_line_that_comes_while_the_panel_is_drawn_stops_neither(tmp_path: Path) -> None:
    pytest.importorskip("rich")
    environment = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(COLLECTIONS), "HOME": str(tmp_path)}
    master, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", AT_ONCE], stdin=terminal, stdout=terminal, stderr=subprocess.PIPE, env=environment
    )
    os.close(terminal)
    try:
        shown = _read_until(master, "one line", 60)
        assert "the panel" in shown
        _unused, told = process.communicate(timeout=60)
    finally:
        process.kill()
        os.close(master)
    assert told.decode() == "began True written True hangs False draws False"
