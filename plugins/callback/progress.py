# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A live display of the fabric-wide verbs."""

from __future__ import annotations

DOCUMENTATION = r"""
name: progress
type: aggregate
short_description: Show the stage, the armed devices and the dead-man timer of a running change
version_added: 0.1.0
description:
  - While a fabric-wide verb of this collection runs, a panel at the foot of the terminal shows the stage, how many devices are armed
    and confirmed, the seconds until the first device goes back by itself, the last gate, and the packets that the last move lost.
  - The verbs print one plain line for each thing that happens, with this callback or without it. Where the output is no terminal
    (CI, AWX, a pipe), or where C(rich) is not installed, this callback does nothing, and those lines are the display.
  - It stands beside any stdout callback, so it does not matter that AWX brings its own.
author:
  - The stretchnet.fabric authors (@stretchnet)
requirements:
  - enable in configuration
  - rich >= 13 (Python library on the controller); without it nothing is shown
options:
  run_dir:
    description:
      - The run directory whose journals are followed.
      - Without it O(run_dir) is the variable C(stretchnet_run_dir) of the play, else C(runs) in the current directory, as for the verbs.
    type: path
    ini:
      - section: stretchnet
        key: run_dir
    env:
      - name: STRETCHNET_RUN_DIR
  refresh_s:
    description: Seconds between two looks at the journal.
    type: float
    default: 0.25
    ini:
      - section: stretchnet
        key: progress_refresh_s
    env:
      - name: STRETCHNET_PROGRESS_REFRESH_S
"""

EXAMPLES = r"""
# ansible.cfg
#
# [defaults]
# callbacks_enabled = stretchnet.fabric.progress
"""

import os
import sys
import threading
import time
import typing
from pathlib import Path

from ansible.plugins.callback import CallbackBase
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.progress import JournalTail, one_line, summary

if typing.TYPE_CHECKING:
    from ansible.executor.task_result import TaskResult
    from ansible.playbook.play import Play
    from ansible.playbook.task import Task

PREFIX = "stretchnet.fabric."
#: The verbs that take long and write the journal.
VERBS = frozenset(
    f"{PREFIX}{verb}" for verb in ("survey", "gate", "plan", "rollback_point", "stage", "migrate", "rollback", "resume")
)


class CallbackModule(CallbackBase):
    """Follows the journal of the run while a verb is at work."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "stretchnet.fabric.progress"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: typing.Any, **kwargs: typing.Any) -> None:
        super().__init__(*args, **kwargs)
        self._run_dir = Path("runs")
        self._change_id = ""
        self._packets = ""
        self._panel: _Panel | None = None

    def v2_playbook_on_play_start(self, play: Play) -> None:
        """Learn where the journals are."""
        chosen = self.get_option("run_dir") or _variable(play, "stretchnet_run_dir")
        self._run_dir = Path(chosen or "runs").expanduser().absolute()

    def v2_playbook_on_task_start(self, task: Task, is_conditional: bool) -> None:
        """Open the panel where a verb begins."""
        del is_conditional
        self._close()
        if task.resolved_action in VERBS and can_draw():
            self._panel = _Panel(
                task.get_name(), self._find_journal, self._packets, float(self.get_option("refresh_s"))
            )
            self._panel.start()

    def v2_runner_on_ok(self, result: TaskResult) -> None:
        """Close the panel; remember what the next one shows."""
        self._finished(result)

    def v2_runner_on_failed(self, result: TaskResult, ignore_errors: bool = False) -> None:
        """Close the panel; remember what the next one shows."""
        del ignore_errors
        self._finished(result)

    def v2_playbook_on_stats(self, stats: typing.Any) -> None:
        """Close the panel at the end of all."""
        del stats
        self._close()

    def _finished(self, result: TaskResult) -> None:
        self._close()
        answer = _answer(result)
        self._change_id = str(answer.get("change_id") or self._change_id)
        self._packets = packets(answer) or self._packets

    def _close(self) -> None:
        if self._panel is not None:
            self._panel.stop()
            self._panel = None

    def _find_journal(self) -> Path | None:
        """The journal of this change; before its id is known, the one that was written last."""
        if self._change_id:
            return self._run_dir / self._change_id / "journal.jsonl"
        found = [(path.stat().st_mtime, path) for path in self._run_dir.glob("*/journal.jsonl")]
        return max(found)[1] if found else None


def can_draw() -> bool:
    """True where there is a terminal to draw on, and the library to draw with."""
    if not (sys.stdout.isatty() and sys.__stdout__ is not None and sys.__stdout__.isatty()):
        return False
    try:
        import rich.live  # noqa: F401
    except ImportError:
        return False
    return True


def packets(answer: typing.Mapping[str, typing.Any]) -> str:
    """Return what the flows of a move lost, in one line; empty where the result is of no move."""
    lost = [
        f"{one_line(str(flow['viewpoint']))} {flow['summary']['lost']}/{flow['summary']['sent']}"
        for flow in answer.get("probes") or ()
        if isinstance(flow, dict) and flow.get("summary")
    ]
    return ", ".join(lost)


def _answer(result: TaskResult) -> typing.Mapping[str, typing.Any]:
    """Return the result of a task; its name changed in ansible-core 2.19."""
    found = getattr(result, "result", None)
    return found if isinstance(found, dict) else getattr(result, "_result", {})


def _variable(play: Play, name: str) -> str | None:
    """Return a variable of the play, None where it is not set or no plain text (a template is not evaluated here)."""
    value = play.get_variable_manager().get_vars(play=play).get(name)
    return value if isinstance(value, str) and "{{" not in value else None


def _terminal() -> typing.TextIO:
    """Return a file of its own on what standard output writes to."""
    number = os.dup(1 if sys.__stdout__ is None else sys.__stdout__.fileno())
    return os.fdopen(number, "w", encoding=sys.stdout.encoding, errors="replace")


class _Panel:
    """The panel of one verb, drawn by a thread of its own.

    The thread draws first after one interval: by then the worker process of the task has been forked, so
    that no lock of the display can be held in it.

    It draws to a file of its own on the terminal. Ansible writes each line to standard output under a lock of its
    display, and the line then waits for the panel's lock to be put above it; a panel that waited for the display's lock
    while it draws would stop both for ever.
    """

    def __init__(self, title: str, find: typing.Callable[[], Path | None], packets_lost: str, refresh_s: float) -> None:
        self._title, self._find = one_line(title), find
        self._packets, self._refresh_s = packets_lost, max(0.05, refresh_s)
        self._begin_s = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stretchnet-progress", daemon=True)

    def start(self) -> None:
        """Begin to draw."""
        self._thread.start()

    def stop(self) -> None:
        """Take the panel away; the lines above it stay."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        if self._stop.wait(self._refresh_s):
            return
        with _terminal() as terminal:
            self._draw(terminal)

    def _draw(self, terminal: typing.TextIO) -> None:
        from rich.console import Console
        from rich.live import Live

        tail: JournalTail | None = None
        console = Console(file=terminal)
        with Live(self._drawing(tail), console=console, auto_refresh=False, transient=True) as live:
            while not self._stop.wait(self._refresh_s):
                path = self._find() if tail is None else None
                tail = JournalTail(path) if path is not None else tail
                if tail is not None:
                    tail.poll()
                live.update(self._drawing(tail), refresh=True)

    def _drawing(self, tail: JournalTail | None) -> typing.Any:
        from rich.panel import Panel
        from rich.table import Table
        from rich.text import Text

        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim")
        grid.add_column()
        for label, value in self._rows(tail):
            grid.add_row(Text(label), Text(value, style="bold red" if label == "going back" else ""))
        return Panel(grid, title=Text(self._title), title_align="left", expand=False)

    def _rows(self, tail: JournalTail | None) -> list[tuple[str, str]]:
        rows = [(label, one_line(value)) for label, value in summary(tail.board, time.time())] if tail else []
        if self._packets:
            rows.append(("packets lost", self._packets))
        return [*rows, ("running for", f"{time.monotonic() - self._begin_s:.0f} s")]
