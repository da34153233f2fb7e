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
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

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

LOCK_TIMEOUT_S = 60
COMMAND_TIMEOUT_S = 120
LEDGER_LENGTH = 100
TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,199}")
HEADER = re.compile(r"(Building configuration\.\.\.|Current configuration:|frr version .*|!.*|end|exit|exit-.*|)\s*")


class Refused(Exception):
    """The request cannot be done; ``kind`` is what the driver makes its typed error of."""

    def __init__(self, kind, message, command=None, output=""):
        super().__init__(message)
        self.answer = {"error": kind, "message": message, "command": command, "output": output[-4000:]}


def boot_s():
    """Seconds since boot, suspend included; setting the wall clock does not move it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


# ---------------------------------------------------------------- files


def write(path, text, like=None):
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
        raise Refused("rejected", "cannot write %s: %s" % (path, exc.strerror)) from exc


def sync_folder(path):
    """Make a rename durable."""
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read(path, default=None):
    """Return a file's text, ``default`` where there is none."""
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except FileNotFoundError:
        return default


def read_json(path, default=None):
    """Return a file's value, ``default`` where there is none or it was left torn."""
    try:
        return json.loads(read(path) or "null") or default
    except ValueError:
        return default


def remove(*paths):
    """Remove files that may not be there."""
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


@contextlib.contextmanager
def lock():
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


def command(argv, timeout=COMMAND_TIMEOUT_S):
    """Run one command; return (rc, output of both streams)."""
    environment = dict(os.environ, PATH="/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL="C")
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=timeout, env=environment, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as exc:
        return 124, "no end after %d s: %s" % (timeout, (exc.output or b"").decode(errors="replace"))
    except OSError as exc:
        return 127, str(exc)
    return done.returncode, done.stdout.decode(errors="replace")


def bound(binds, argv):
    """Run argv where each (candidate, target) file is bound over its target, for this command only."""
    script = 'while [ "$1" != -- ]; do mount --bind "$1" "$2" || exit 125; shift 2; done; shift; exec "$@"'
    flat = [part for bind in binds for part in bind]
    return command(["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *flat, "--", *argv])


def running():
    """Return the running configuration of both parts."""
    rc, text = command(["vtysh", "-c", "show running-config"])
    if rc or not text.rstrip().endswith("end"):
        raise Refused("failed", "FRR does not say its configuration", "show running-config", text)
    interfaces = read(RUNNING_INTERFACES)
    if interfaces is None:
        interfaces = read(STARTUP["interfaces"], "")
    start = text.find("frr version")
    return {"frr": text[max(start, 0) :].rstrip() + "\n", "interfaces": interfaces}


def frr_lines(text):
    """Return the meaning of an FRR configuration: its lines with their contexts, in any order."""
    found, context = [], []
    for line in text.splitlines():
        if HEADER.fullmatch(line.strip()):
            continue
        indent = len(line) - len(line.lstrip())
        del context[indent:]
        context.extend([""] * (indent - len(context)))
        context.append(" ".join(line.split()))
        found.append("\n".join(context))
    return sorted(found)


def same(part, one, other):
    """True where two texts of one part mean the same."""
    if part == "frr":
        return frr_lines(one) == frr_lines(other)
    return one.split() == other.split()


def candidate_file(part, text):
    """Write a candidate beside the agent's run data, readable as its target is."""
    path = "%s/candidate.%s" % (RUN, part)
    write(path, text, like=STARTUP[part])
    return path


#: What ifupdown2 says of a text that is right: an interface that is not made yet, an MTU that is its ports' too.
HARMLESS = ("interface not recognized", "bridge inherits mtu from its ports")


def validate(target):
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


def apply(target, now):
    """Make the running configuration what ``target`` says; startup is not written."""
    if not same("interfaces", target["interfaces"], now["interfaces"]):
        os.makedirs("/etc/iproute2/rt_tables.d", exist_ok=True)  # ifreload: rc 1 without it
        path = candidate_file("interfaces", target["interfaces"])
        write(RUNNING_INTERFACES, target["interfaces"], like=STARTUP["interfaces"])
        rc, output = bound([(path, STARTUP["interfaces"])], ["ifreload", "-a"])
        if rc:
            raise Refused("rejected", "ifupdown2 did not apply the interfaces", "ifreload -a", output)
    if not same("frr", target["frr"], now["frr"]):
        path = candidate_file("frr", target["frr"])
        # Called with the startup file's own name frr-reload does not write startup.
        rc, output = bound([(path, STARTUP["frr"])], ["python3", FRR_RELOAD, "--reload", "--stdout", STARTUP["frr"]])
        if rc:
            raise Refused("rejected", "FRR did not apply the configuration", "frr-reload.py --reload", output)


def restore(checkpoint):
    """Go back to the checkpoint and prove it."""
    problem = None
    for _attempt in range(3):
        try:
            now = running()
            # What runs is not known after an apply that died: have ifupdown2 look in any case.
            apply(checkpoint, dict(now, interfaces=""))
            if same("frr", checkpoint["frr"], running()["frr"]):
                return
            problem = Refused("failed", "after the restore FRR's configuration differs from the checkpoint")
        except Refused as exc:
            problem = exc
        time.sleep(0.5)
    raise problem


# ---------------------------------------------------------------- the ledger


def remember(token, state, reason=""):
    """Write what became of a token."""
    entries = [e for e in read_json(LEDGER, []) if e["token"] != token]
    entries.append({"token": token, "state": state, "reason": reason, "at": int(time.time())})
    write(LEDGER, json.dumps(entries[-LEDGER_LENGTH:]))


def recall(token):
    """Return the ledger's entry of a token, None if it has none."""
    return next((e for e in read_json(LEDGER, []) if e["token"] == token), None)


# ---------------------------------------------------------------- the pending commit


def describe(token):
    """Return the state of a token."""
    pending = read_json(PENDING)
    if pending and pending["token"] == token:
        return {"token": token, "state": "pending", "remaining_s": max(0.0, pending["deadline"] - boot_s())}
    entry = recall(token) or {"state": "unknown", "reason": ""}
    return {"token": token, "state": entry["state"], "reason": entry["reason"], "remaining_s": None}


def undo(pending, reason):
    """Restore the checkpoint of the pending commit and remember that it was reverted."""
    try:
        restore(read_json(CHECKPOINT))
    except Refused as exc:
        write(PENDING, json.dumps(dict(pending, phase="stuck", words=exc.answer)))
        raise
    remember(pending["token"], "reverted", reason)
    forget()


def forget():
    """Nothing is pending any more."""
    remove(PENDING, RUNNING_INTERFACES, *(path + STAGED for path in STARTUP.values()))


def settle():
    """Finish what a killed process or a power cut has left; called with the lock held."""
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
        keep(lambda: wait_and_revert(pending["token"]))


def alive(keeper):
    """True where the process is there and is the same one (its start time counts)."""
    return keeper is not None and keeper == identity(keeper[0])


def identity(pid):
    """Return (pid, start time) of a process, None where there is none."""
    stat = read("/proc/%d/stat" % pid)
    return [pid, stat.rsplit(")", 1)[1].split()[19]] if stat else None


def promote(token):
    """Make the staged texts startup. Interrupted, it is done again: the ledger says ``confirming``."""
    for path in STARTUP.values():
        if os.path.exists(path + STAGED):
            os.rename(path + STAGED, path)
            sync_folder(path)
    remember(token, "confirmed")
    forget()


def keep(work):
    """Run ``work`` in a worker that outlives the SSH session, watched by a sentinel."""
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
    _, status = os.waitpid(worker, 0)
    if status:
        recover()
    os._exit(0)


def recover():
    """The worker was killed: restore at once if it was applying, else wait in its place."""
    with contextlib.suppress(Refused), lock():
        pending = read_json(PENDING)
        if pending and pending["phase"] == "applying":
            settle()
    pending = read_json(PENDING)
    if pending and pending["phase"] == "armed":
        wait_and_revert(pending["token"])


def wait_and_revert(token):
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


def arm(request):
    """Apply a whole configuration under a timer; answers when it is applied or undone."""
    token, seconds = request["token"], request["revert_in_s"]
    reader, writer = os.pipe()
    with lock() as descriptor:
        settle()
        known = describe(token)
        if known["state"] != "unknown":
            return known
        pending = read_json(PENDING)
        if pending:
            raise Refused("pending", "the commit %s is pending on this device" % pending["token"])
        now = running()
        if request.get("running_digest") not in (None, digest(now)):
            raise Refused("changed", "the running configuration is not the one that the change was made for")
        target = {part: now[part] if request.get(part) is None else request[part] for part in STARTUP}
        validate(target)
        write(CHECKPOINT, json.dumps(now))
        remember(token, "pending")
        write(PENDING, json.dumps({"token": token, "phase": "applying", "deadline": boot_s() + 3600, "keeper": None}))
        keep(lambda: work_on(token, seconds, target, now, writer, descriptor))
    os.close(writer)
    with os.fdopen(reader) as stream:
        report = stream.read()
    if report:
        return json.loads(report)
    with lock():
        settle()
    raise Refused("rejected", "the apply was killed on the device; the checkpoint is restored", "arm")


def work_on(token, seconds, target, now, writer, descriptor):
    """Apply, answer through the pipe, let go of the lock, and wait."""
    answer = apply_or_undo(token, seconds, target, now)
    os.close(descriptor)
    os.write(writer, json.dumps(answer).encode())
    os.close(writer)
    if "error" not in answer:
        wait_and_revert(token)


def apply_or_undo(token, seconds, target, now):
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


def status(token):
    """Say what became of a token; without one, of whatever is pending."""
    with lock():
        settle()
        pending = read_json(PENDING)
        if token is None:
            token = pending["token"] if pending else None
        return describe(token) if token else {"token": None, "state": "unknown", "remaining_s": None}


def confirm(token):
    """Make the pending commit startup; doing it twice is fine."""
    with lock():
        settle()
        state = describe(token)["state"]
        if state == "pending":
            remember(token, "confirming")
            promote(token)
        elif state != "confirmed":
            raise Refused("expired" if state == "reverted" else "unknown", "the commit is %s" % state)
        return describe(token)


def revert(token):
    """Undo the pending commit now; doing it twice is fine."""
    with lock():
        settle()
        state = describe(token)["state"]
        if state == "pending":
            undo(read_json(PENDING), "reverted on request")
        elif state != "reverted":
            raise Refused("confirmed" if state == "confirmed" else "unknown", "the commit is %s" % state)
        return describe(token)


def check(request):
    """Validate a configuration; nothing is touched."""
    with lock():
        validate(dict(running(), **{part: request[part] for part in STARTUP if request.get(part) is not None}))
        return {"state": "valid"}


def digest(now):
    """Digest by meaning of a running configuration, as the driver makes it."""
    meaning = "\n\n".join(frr_lines(now["frr"])) + "\n\n\n" + " ".join(now["interfaces"].split())
    return hashlib.sha256(meaning.encode()).hexdigest()


def answer_to(request):
    """Do one request."""
    call, token = request["call"], request.get("token")
    if token is not None and not TOKEN.fullmatch(token):
        raise Refused("rejected", "that is no token")
    if call == "arm":
        return arm(request)
    if call == "check":
        return check(request)
    if call == "checkpoint":
        return read_json(CHECKPOINT) or {"error": "unknown", "message": "there is no checkpoint"}
    return {"status": status, "confirm": confirm, "revert": revert}[call](token)


def main():
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
