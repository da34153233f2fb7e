#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Confirmed commit for FRRouting and ifupdown2. This file runs ON THE DEVICE, as root.

The driver installs it as ``/usr/local/lib/stretchnet/commit-agent``. It needs nothing but Python 3.7 and
reads its request as JSON from standard input (so that no configuration is seen on a command line) and
answers one JSON object.

The new configuration is running only, never startup, until it is confirmed: ifreload and frr-reload.py
work in a mount namespace of their own in which the candidate is bound over ``/etc/network/interfaces`` and
``/etc/frr/frr.conf``. So whatever happens before the confirmation, a reboot brings the old configuration.

While a commit is pending two processes watch over it, in a session of their own: the *worker* applies,
then waits for the deadline (boot time, which no clock change moves) and reverts; the *sentinel* is its
parent and takes over if the worker is killed. Were both killed, the next call sees it and restores.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

STATE = "/var/lib/stretchnet"
RUN = "/run/stretchnet"
LEDGER = STATE + "/ledger.json"
CHECKPOINT = STATE + "/checkpoint.json"
PENDING = RUN + "/pending.json"
#: The interfaces text that runs while a commit is pending; afterwards it is STARTUP["interfaces"] again.
RUNNING_INTERFACES = RUN + "/interfaces"
STARTUP = {"interfaces": "/etc/network/interfaces", "frr": "/etc/frr/frr.conf"}
STAGED = ".stretchnet-staged"
IFUPDOWN2_CONF = "/etc/network/ifupdown2/ifupdown2.conf"
FRR_RELOAD = "/usr/lib/frr/frr-reload.py"
#: ifreload ends with rc 1 where this folder is missing.
RT_TABLES = "/etc/iproute2/rt_tables.d"
LINKS = "/sys/class/net/"

LOCK_TIMEOUT_S = 60
RESTORE_TIMEOUT_S = 60
PR_SET_PDEATHSIG = 1
COMMAND_TIMEOUT_S = 120
LEDGER_LENGTH = 100
TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,199}")
HEADER = re.compile(r"(Building configuration\.\.\.|Current configuration:|frr version .*|!.*|end|exit|exit-.*|)\s*")


#: Lines that frr-reload.py leaves alone when a whole configuration is replaced.
UNTOUCHED = re.compile(r"(frr |service |hostname |domainname |log |username |password |enable |line vty|agentx)")


class Refused(Exception):
    """The request cannot be done; ``kind`` is what the driver makes its typed error of."""

    def __init__(self, kind: str, message: str, command: str | None = None, output: str = "") -> None:
        super().__init__(message)
        self.answer: dict[str, Any] = {"error": kind, "message": message, "command": command, "output": output[-4000:]}


def boot_s() -> float:
    """Seconds since boot, suspend included; setting the wall clock does not move it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


# ---------------------------------------------------------------- files


def write(path: str, text: str, like: str | None = None) -> None:
    """Write beside, flush to the disk, rename; owner and mode as those of ``like``."""
    beside = path + ".new"
    try:
        with open(beside, "w", encoding="utf-8") as stream:
            os.chmod(beside, 0o600)
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        if like and os.path.exists(like):
            shutil.copymode(like, beside)
            owner = os.stat(like)
            os.chown(beside, owner.st_uid, owner.st_gid)
        os.rename(beside, path)
        sync_folder(path)
    except OSError as exc:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise Refused("rejected", f"cannot write {path}: {exc.strerror}") from exc


def sync_folder(path: str) -> None:
    """Make a rename durable."""
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read(path: str, default: str = "") -> str:
    """Return a file's text, ``default`` where there is none."""
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except FileNotFoundError:
        return default


def read_json(path: str, default: Any = None) -> Any:
    """Return a file's value, ``default`` where there is none or it was left torn."""
    try:
        return json.loads(read(path) or "null") or default
    except ValueError:
        return default


def remove(*paths: str) -> None:
    """Remove files that may not be there."""
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


@contextlib.contextmanager
def lock() -> Iterator[int]:
    """Hold the agent's lock; a child that is forked inside holds it too."""
    descriptor = os.open(RUN + "/lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + LOCK_TIMEOUT_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise Refused("busy", "another commit is being applied or reverted on this device") from None
                time.sleep(0.05)
        yield descriptor
    finally:
        # Closing is enough, and unlike LOCK_UN it leaves the lock to a worker that has inherited it.
        os.close(descriptor)


# ---------------------------------------------------------------- the device's configuration


def command(argv: list[str], timeout: float = COMMAND_TIMEOUT_S) -> tuple[int, str]:
    """Run one command; return (rc, output of both streams)."""
    environment = dict(os.environ, PATH="/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL="C")
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=timeout, env=environment, check=False, preexec_fn=die_with_parent,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return 124, f"no end after {timeout} s"
    except OSError as exc:
        return 127, str(exc)
    return done.returncode, done.stdout.decode(errors="replace")


def die_with_parent() -> None:
    """Have the kernel kill the command when the worker is killed, so that nothing applies on behind the restore."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def bound(binds: list[tuple[str, str]], argv: list[str]) -> tuple[int, str]:
    """Run argv where each (candidate, target) file is bound over its target, for this command only."""
    script = 'while [ "$1" != -- ]; do mount --bind "$1" "$2" || exit 125; shift 2; done; shift; exec "$@"'
    flat = [part for bind in binds for part in bind]
    return command(["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *flat, "--", *argv])


def running() -> dict[str, str]:
    """Return the running configuration of both parts."""
    rc, text = command(["vtysh", "-c", "show running-config"])
    if rc or not text.rstrip().endswith("end"):
        raise Refused("failed", "FRR does not say its configuration", "show running-config", text)
    interfaces = read(RUNNING_INTERFACES if os.path.exists(RUNNING_INTERFACES) else STARTUP["interfaces"])
    start = text.find("frr version")
    return {"frr": text[max(start, 0) :].rstrip() + "\n", "interfaces": interfaces}


def frr_lines(text: str) -> list[str]:
    """Return the meaning of an FRR configuration: its lines with their contexts, in any order."""
    found: list[str] = []
    context: list[str] = []
    for line in text.splitlines():
        if HEADER.fullmatch(line.strip()):
            continue
        indent = len(line) - len(line.lstrip())
        del context[indent:]
        context.extend([""] * (indent - len(context)))
        context.append(" ".join(line.split()))
        found.append("\n".join(context))
    return sorted(found)


def same(part: str, one: str, other: str) -> bool:
    """True where two texts of one part mean the same."""
    if part == "frr":
        return frr_lines(one) == frr_lines(other)
    return one.split() == other.split()


def candidate_file(part: str, text: str) -> str:
    """Write a candidate beside the agent's run data, readable as its target is."""
    path = f"{RUN}/candidate.{part}"
    write(path, text, like=STARTUP[part])
    return path


#: What ifupdown2 says of a text that is right: an interface that is not made yet, an MTU that is its ports' too.
HARMLESS = ("interface not recognized", "bridge inherits mtu from its ports")


def validate(target: dict[str, str]) -> None:
    """Have the device's own parsers read both texts; nothing is touched."""
    path = candidate_file("frr", target["frr"])
    rc, output = command(["vtysh", "-C", "-f", path])
    if rc:
        raise Refused("rejected", "FRR refuses the configuration", "vtysh -C -f", output)
    path = candidate_file("interfaces", target["interfaces"])
    conf = RUN + "/ifupdown2.conf"
    strict = re.sub(r"(?m)^addon_syntax_check=.*$", "addon_syntax_check=1", read(IFUPDOWN2_CONF, ""))
    write(conf, strict, like=IFUPDOWN2_CONF)
    rc, output = bound([(path, STARTUP["interfaces"]), (conf, IFUPDOWN2_CONF)], ["ifreload", "-a", "-s"])
    words = [line for line in output.splitlines() if line.strip() and not any(w in line for w in HARMLESS)]
    if words or (rc and not output.strip()):  # a remark alone makes rc 1, too
        raise Refused("rejected", "ifupdown2 refuses the interfaces", "ifreload -a -s", output)


def apply(target: dict[str, str], now: dict[str, str], check: bool = True) -> None:
    """Make the running configuration what ``target`` says, and look whether it is; startup is not written."""
    if not same("interfaces", target["interfaces"], now["interfaces"]):
        os.makedirs(RT_TABLES, exist_ok=True)
        path = candidate_file("interfaces", target["interfaces"])
        write(RUNNING_INTERFACES, target["interfaces"], like=STARTUP["interfaces"])
        rc, output = bound([(path, STARTUP["interfaces"])], ["ifreload", "-a"])
        if rc:
            raise Refused("rejected", "ifupdown2 did not apply the interfaces", "ifreload -a", output)
        if check:
            check_interfaces(path, changed_interfaces(now["interfaces"], target["interfaces"]))
    if not same("frr", target["frr"], now["frr"]):
        path = candidate_file("frr", target["frr"])
        # Called with the startup file's own name frr-reload does not write startup.
        rc, output = bound([(path, STARTUP["frr"])], ["python3", FRR_RELOAD, "--reload", "--stdout", STARTUP["frr"]])
        if rc:
            raise Refused("rejected", "FRR did not apply the configuration", "frr-reload.py --reload", output)
        if check:
            check_frr(now["frr"], target["frr"], running()["frr"])


def unmake(names: list[str]) -> None:
    """Delete the devices that the commit made: an ifreload that was killed does not know of them any more."""
    for name in names:
        if os.path.exists(LINKS + name):
            command(["ip", "link", "delete", "dev", name])
            if os.path.exists(LINKS + name):
                raise Refused("failed", name + " is still there after the restore", "ip link delete")


def stanzas(text: str) -> dict[str, list[list[str]]]:
    """Return the lines of each iface of an interfaces file, by name."""
    found: dict[str, list[list[str]]] = {}
    name: str | None = None
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["iface"] and len(words) > 1:
            name = words[1]
        elif words and (words[0] in ("auto", "source") or words[0].startswith("allow-")):
            name = None
        if name and words and not words[0].startswith("#"):
            found.setdefault(name, []).append(words)
    return found


def changed_interfaces(before: str, after: str) -> list[str]:
    """Return the names of the interfaces that are new or changed."""
    old, new = stanzas(before), stanzas(after)
    return [name for name in new if new[name] != old.get(name)]


def check_interfaces(path: str, names: list[str]) -> None:
    """Have ifupdown2 compare the changed interfaces with the kernel: ifreload ends with rc 0 on many a failure."""
    if not names:
        return
    rc, output = bound([(path, STARTUP["interfaces"])], ["ifquery", "-c", *names])
    if rc:
        bad = "\n".join(line for line in output.splitlines() if "[fail]" in line) or output
        raise Refused("rejected", "the kernel is not as the interfaces say", "ifquery -c " + " ".join(names), bad)


def check_frr(before: str, target: str, after: str) -> None:
    """Find what frr-reload.py did not do: it ends with rc 0 when FRR refuses a line.

    A line that FRR does not show may be a default; so each such line is given to FRR once more, alone, and
    what FRR says decides.
    """
    had, wanted, have = (set(frr_lines(text)) for text in (before, target, after))
    left = [line for line in sorted((had - wanted) & have) if not UNTOUCHED.match(line)]
    if left:
        raise Refused("rejected", "FRR kept lines that were to go", "frr-reload.py --reload", "\n".join(left))
    for missing in sorted(wanted - had - have):
        path = RUN + "/line"
        write(path, missing + "\n", like=STARTUP["frr"])
        rc, output = command(["vtysh", "-f", path])
        if rc or "%" in output:
            raise Refused("rejected", "FRR refuses a line", "vtysh -f", output)


def restore(checkpoint: dict[str, Any]) -> None:
    """Go back to the checkpoint and prove it."""
    deadline = time.monotonic() + RESTORE_TIMEOUT_S
    while True:
        try:
            # What runs is not known after an apply that died: have ifupdown2 look in any case.
            apply(checkpoint, dict(running(), interfaces=""), check=False)
            unmake(checkpoint["made"])
            if same("frr", checkpoint["frr"], running()["frr"]):
                return
            problem = Refused("failed", "after the restore FRR's configuration differs from the checkpoint")
        except Refused as exc:
            problem = exc
        if time.monotonic() > deadline:
            raise problem
        time.sleep(0.5)


# ---------------------------------------------------------------- the ledger


def remember(token: str, state: str, reason: str = "") -> None:
    """Write what became of a token."""
    entries = [e for e in read_json(LEDGER, []) if e["token"] != token]
    entries.append({"token": token, "state": state, "reason": reason, "at": int(time.time())})
    write(LEDGER, json.dumps(entries[-LEDGER_LENGTH:]))


def recall(token: str) -> dict[str, Any] | None:
    """Return the ledger's entry of a token, None if it has none."""
    return next((e for e in read_json(LEDGER, []) if e["token"] == token), None)


# ---------------------------------------------------------------- the pending commit


def describe(token: str) -> dict[str, Any]:
    """Return the state of a token."""
    pending = read_json(PENDING)
    if pending and pending["token"] == token:
        return {"token": token, "state": "pending", "remaining_s": max(0.0, pending["deadline"] - boot_s())}
    entry = recall(token) or {"state": "unknown", "reason": ""}
    return {"token": token, "state": entry["state"], "reason": entry["reason"], "remaining_s": None}


def undo(pending: dict[str, Any], reason: str) -> None:
    """Restore the checkpoint of the pending commit and remember that it was reverted."""
    try:
        restore(read_json(CHECKPOINT))
    except Refused as exc:
        write(PENDING, json.dumps(dict(pending, phase="stuck", words=exc.answer)))
        raise
    remember(pending["token"], "reverted", reason)
    forget()


def forget() -> None:
    """Nothing is pending any more."""
    remove(PENDING, RUNNING_INTERFACES, *(path + STAGED for path in STARTUP.values()))


def settle(held: int) -> None:
    """Finish what a killed process or a power cut has left; ``held`` is the descriptor of the lock."""
    pending = read_json(PENDING)
    for entry in read_json(LEDGER, []):
        if entry["state"] == "confirming":
            promote(entry["token"])
        elif entry["state"] == "pending" and (not pending or pending["token"] != entry["token"]):
            remember(entry["token"], "reverted", "the device was restarted before it was confirmed")
            forget()
    pending = read_json(PENDING)
    if not pending:
        return
    if pending["phase"] != "armed":
        undo(pending, "the apply was interrupted")
    elif boot_s() >= pending["deadline"]:
        undo(pending, "not confirmed in time")
    elif not alive(pending["keeper"]):
        keep(lambda: wait_in_place_of(pending["token"], held))


def alive(keeper: list[Any] | None) -> bool:
    """True where the process is there and is the same one (its start time counts)."""
    return keeper is not None and keeper == identity(keeper[0])


def identity(pid: int) -> list[Any] | None:
    """Return [pid, start time] of a process, None where there is none or only its zombie."""
    fields = (read(f"/proc/{pid}/stat") or ") Z").rsplit(")", 1)[1].split()
    return None if fields[0] in "ZX" else [pid, fields[19]]


def promote(token: str) -> None:
    """Make the staged texts startup. Interrupted, it is done again: the ledger says ``confirming``."""
    for path in STARTUP.values():
        if os.path.exists(path + STAGED):
            os.rename(path + STAGED, path)
            sync_folder(path)
    remember(token, "confirmed")
    forget()


def keep(work: Callable[[], None]) -> None:
    """Run ``work`` in a worker that outlives the SSH session, watched by a sentinel.

    The worker inherits the descriptor of the lock, and closes it when it needs the lock no more.
    """
    if os.fork():
        os.wait()
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    worker = os.fork()
    if not worker:
        status = 1
        with contextlib.suppress(Exception):
            work()
            status = 0
        os._exit(status)
    os.closerange(3, 256)  # the lock, above all: it must fall when the worker dies
    _unused, status = os.waitpid(worker, 0)
    if status:
        recover()
    os._exit(0)


def recover() -> None:
    """The worker was killed: restore at once if it was applying, else wait in its place."""
    with contextlib.suppress(Refused), lock() as descriptor:
        pending = read_json(PENDING)
        if pending and pending["phase"] == "applying":
            settle(descriptor)
    pending = read_json(PENDING)
    if pending and pending["phase"] == "armed":
        wait_and_revert(pending["token"])


def wait_in_place_of(token: str, held: int) -> None:
    """Be the new keeper of a pending commit whose own was killed."""
    os.close(held)
    wait_and_revert(token)


def wait_and_revert(token: str) -> None:
    """Wait for the deadline of the pending commit and undo it, unless it is gone by then."""
    with lock():
        pending = read_json(PENDING)
        if pending and pending["token"] == token:
            write(PENDING, json.dumps(dict(pending, keeper=identity(os.getpid()))))
    while True:
        pending = read_json(PENDING)
        if not pending or pending["token"] != token:
            return
        left = pending["deadline"] - boot_s()
        if left <= 0:
            break
        time.sleep(min(left, 0.5))
    with lock():
        pending = read_json(PENDING)
        if pending and pending["token"] == token:
            undo(pending, "not confirmed in time")


# ---------------------------------------------------------------- the calls


def arm(request: dict[str, Any]) -> dict[str, Any]:
    """Apply a whole configuration under a timer; answers when it is applied or undone."""
    token, seconds = request["token"], request["revert_in_s"]
    reader, writer = os.pipe()
    with lock() as descriptor:
        settle(descriptor)
        known = describe(token)
        if known["state"] != "unknown":
            return known
        pending = read_json(PENDING)
        if pending:
            raise Refused("pending", f"the commit {pending['token']} is pending on this device")
        now = running()
        target = {part: now[part] if request.get(part) is None else request[part] for part in STARTUP}
        validate(target)
        made = [name for name in stanzas(target["interfaces"]) if not os.path.exists(LINKS + name)]
        write(CHECKPOINT, json.dumps(dict(now, made=made)))
        remember(token, "pending")
        write(PENDING, json.dumps({"token": token, "phase": "applying", "deadline": boot_s() + 3600, "keeper": None}))
        keep(lambda: work_on(token, seconds, target, now, writer, descriptor))
    os.close(writer)
    with os.fdopen(reader) as stream:
        report = stream.read()
    if report:
        answer: dict[str, Any] = json.loads(report)
        return answer
    with lock() as descriptor:
        settle(descriptor)
    raise Refused("rejected", "the apply was killed on the device; the checkpoint is restored", "arm")


def work_on(
    token: str, seconds: int, target: dict[str, str], now: dict[str, str], writer: int, descriptor: int
) -> None:
    """Apply, answer through the pipe, let go of the lock, and wait."""
    answer = apply_or_undo(token, seconds, target, now)
    os.close(descriptor)
    os.write(writer, json.dumps(answer).encode())
    os.close(writer)
    if "error" not in answer:
        wait_and_revert(token)


def apply_or_undo(token: str, seconds: int, target: dict[str, str], now: dict[str, str]) -> dict[str, Any]:
    """Apply and stage what runs then; on any failure restore the checkpoint at once."""
    pending = {"token": token, "phase": "applying", "deadline": boot_s() + seconds, "keeper": None}
    try:
        apply(target, now)
        after = running()
        for part, path in STARTUP.items():
            if not same(part, after[part], read(path, "")):
                write(path + STAGED, after[part], like=path)
        pending = dict(pending, phase="armed", deadline=boot_s() + seconds, keeper=identity(os.getpid()))
        write(PENDING, json.dumps(pending))
        return describe(token)
    except Refused as exc:
        try:
            undo(pending, "the device refused it")
        except Refused as worse:
            return dict(worse.answer, message="refused, and the restore failed: " + worse.answer["message"])
        return exc.answer


def status(token: str | None) -> dict[str, Any]:
    """Say what became of a token; without one, of whatever is pending."""
    with lock() as descriptor:
        settle(descriptor)
        pending = read_json(PENDING)
        if token is None:
            token = pending["token"] if pending else None
        return describe(token) if token else {"token": None, "state": "unknown", "remaining_s": None}


def confirm(token: str) -> dict[str, Any]:
    """Make the pending commit startup; doing it twice is fine."""
    with lock() as descriptor:
        settle(descriptor)
        state = describe(token)["state"]
        if state == "pending":
            remember(token, "confirming")
            promote(token)
        elif state != "confirmed":
            raise Refused("expired" if state == "reverted" else "unknown", f"the commit is {state}")
        return describe(token)


def revert(token: str) -> dict[str, Any]:
    """Undo the pending commit now; doing it twice is fine."""
    with lock() as descriptor:
        settle(descriptor)
        state = describe(token)["state"]
        if state == "pending":
            undo(read_json(PENDING), "reverted on request")
        elif state != "reverted":
            raise Refused("confirmed" if state == "confirmed" else "unknown", f"the commit is {state}")
        return describe(token)


def answer_to(request: dict[str, Any]) -> dict[str, Any]:
    """Do one request."""
    call, token = request["call"], request.get("token")
    if token is not None and not TOKEN.fullmatch(token):
        raise Refused("rejected", "that is no token")
    if call == "arm":
        return arm(request)
    if call == "checkpoint":
        return read_json(CHECKPOINT) or {"error": "unknown", "message": "there is no checkpoint"}
    calls: dict[str, Callable[[Any], dict[str, Any]]] = {"status": status, "confirm": confirm, "revert": revert}
    return calls[call](token)


def main() -> None:
    """Read a request, answer it."""
    os.umask(0o077)
    os.makedirs(STATE, mode=0o700, exist_ok=True)
    os.makedirs(RUN, mode=0o755, exist_ok=True)
    try:
        answer = answer_to(json.load(sys.stdin))
    except Refused as exc:
        answer = exc.answer
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
