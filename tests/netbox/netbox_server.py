# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real NetBox on loopback: PostgreSQL, Redis and gunicorn with data, ports and logs of their own.

``python netbox_server.py prepare FOLDER`` installs NetBox into ``FOLDER/venv``, takes the collection netbox.netbox into
``FOLDER/collections`` and makes the dump of an empty database in ``FOLDER/cache``: a minute or two the first time,
nothing afterwards; one at a time, and interrupted it begins anew. ``Server(FOLDER)`` restores the dump and serves;
leaving it ends every process and removes everything but what was prepared. ``python netbox_server.py serve FOLDER FILE``
does that until SIGTERM; FILE (0600) has ``url``, ``token`` and ``pid`` as JSON from the first answer until all has ended.

The tables are made from NetBox's models (netbox_tables.py); with STRETCHNET_NETBOX_MIGRATE=1 by its migrations, which
takes minutes of CPU time.
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

#: The release that was tried; a later one of the same line is taken where there is one.
REQUIREMENT = os.environ.get("STRETCHNET_NETBOX_REQUIREMENT", "netbox~=4.7.0")
#: PyPI's package of Ansible's collections; of it only netbox.netbox is unpacked.
COLLECTIONS = "ansible>=11"
_COLLECTION = "ansible_collections/netbox/netbox/"
_PYTHONS = ("python3.14", "python3.13", "python3.12", "python3")
_NICE = ("nice", "-n", "10")


class NotPossible(Exception):
    """What is missing for a real NetBox on this machine."""


def python_for_netbox() -> str:
    """Return a Python 3.12 or later, from PATH or pyenv."""
    roots = [Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"]
    found = [shutil.which(name) for name in _PYTHONS]
    found += [str(path) for root in roots for path in sorted(root.glob("3.1[2-9].*/bin/python"))]
    for candidate in filter(None, [os.environ.get("NETBOX_PYTHON"), *found]):
        check = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 12))"
        if subprocess.run([candidate, "-c", check], capture_output=True, check=False).returncode == 0:
            return str(candidate)
    raise NotPossible("NetBox needs Python 3.12 or later with venv: on PATH, under pyenv, or named by NETBOX_PYTHON")


def postgres_bin(name: str) -> str:
    """Return a program of PostgreSQL; Debian keeps them out of PATH."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda p: int(p.parts[4]), reverse=True)
    path = str(versions[0]) if versions else shutil.which(name)
    if path is None:
        raise NotPossible(f"PostgreSQL's {name} is missing: apt install postgresql")
    return path


def unprivileged() -> tuple[str, ...]:
    """PostgreSQL refuses root: in a user namespace it is another user, who owns what root owns outside."""
    return () if os.geteuid() else ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclasses.dataclass(frozen=True)
class Daemon:
    """A program that serves, and the file that it writes what it has to say to."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def wait_for(self, ready: Callable[[], bool], timeout_s: float = 900.0) -> None:
        """Wait until ``ready()``; NotPossible with the end of the log if the program ends or the time is over.

        The time is long: NetBox takes 30 CPU-seconds to start, and may get a tenth of a core beside other tests.
        """
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise NotPossible(f"{self.name} ended with status {self.process.returncode}{self._last_words()}")
            if ready():
                return
            time.sleep(0.2)
        used = f"its first process had {_cpu_s(self.process.pid):.0f} s of CPU time"
        raise NotPossible(f"{self.name} did not answer within {timeout_s:g} s, in which {used}{self._last_words()}")

    def _last_words(self) -> str:
        said = self.log.read_text(errors="replace").strip()
        return f"; it said:\n{said[-4000:]}" if said else ", and said nothing"


def answers(port: int) -> bool:
    """Say whether somebody accepts connections on the port."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


class Server:
    """One NetBox. ``url`` and ``token`` are there once it is entered."""

    def __init__(self, folder: Path, *, workers: int = 2) -> None:
        self.folder, self.workers = folder.absolute(), workers
        self.run = self.folder / f"run-{os.getpid()}"
        self.cache = self.folder / "cache"
        self.venv, self.collections = self.folder / "venv", self.folder / "collections"
        self.password, self.token = secrets.token_hex(16), ""
        self.database_port, self.redis_port, self.port = free_port(), free_port(), free_port()
        self._stack = contextlib.ExitStack()

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def dump(self) -> Path:
        """The dump of the migrated, empty database of this release."""
        return self.cache / f"{self._version()}.dump"

    def _version(self) -> str:
        answer = subprocess.run([str(self.venv / "bin/netbox"), "version"], capture_output=True, text=True, check=True)
        return f"netbox-{answer.stdout.strip()}"

    # -- once --------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Install NetBox, unpack the collection and make the dump, each unless it is there; one at a time."""
        self.cache.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._install()
            self._unpack_collection()
            if not self.dump.exists():
                self._make_dump()

    def _install(self) -> None:
        stamp = self.venv / "installed"
        if stamp.exists() and stamp.read_text() == REQUIREMENT:
            return
        shutil.rmtree(self.venv, ignore_errors=True)
        _checked([python_for_netbox(), "-m", "venv", str(self.venv)])
        # What is never imported needs no bytecode: a third of the time.
        self._pip(self.venv / "bin/python", "install", "--no-compile", REQUIREMENT)
        stamp.write_text(REQUIREMENT)

    def _unpack_collection(self) -> None:
        if self.collections.exists():
            return
        beside, wheels = self.folder / "collections.new", self.folder / "wheels"
        for left in (beside, wheels):
            shutil.rmtree(left, ignore_errors=True)
        self._pip(Path(sys.executable), "download", "--no-deps", "--dest", str(wheels), COLLECTIONS)
        with zipfile.ZipFile(next(wheels.glob("ansible-*.whl"))) as wheel:
            wheel.extractall(beside, [name for name in wheel.namelist() if name.startswith(_COLLECTION)])
        shutil.rmtree(wheels)
        beside.rename(self.collections)

    @staticmethod
    def _pip(python: Path, *args: str) -> None:
        _checked([*_NICE, str(python), "-m", "pip", "--disable-pip-version-check", "--quiet", *args])

    def _make_dump(self) -> None:
        with self._stack:
            self._begin(restore=False)
            if os.environ.get("STRETCHNET_NETBOX_MIGRATE") == "1":
                self.manage("migrate", "--no-input")
            else:
                tables = Path(__file__).with_name("netbox_tables.py")
                _checked([*_NICE, str(self.venv / "bin/python"), str(tables)], self.environment)
            beside = self.dump.with_suffix(".new")
            self._client("pg_dump", "--format=custom", "--no-owner", f"--file={beside}", "netbox")
            beside.rename(self.dump)

    # -- each time ---------------------------------------------------------------------------------

    def __enter__(self) -> Server:
        self.prepare()
        self._stack = contextlib.ExitStack()
        try:
            self._begin(restore=True)
            self.token = self._make_token()
            self._serve()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stack.close()

    def _begin(self, *, restore: bool) -> None:
        for left in self.folder.glob("run-*"):  # of one that was killed; its processes ended with it
            if not Path("/proc", left.name.removeprefix("run-")).exists():
                shutil.rmtree(left, ignore_errors=True)
        self.run.mkdir(parents=True)
        self._stack.callback(shutil.rmtree, self.run, ignore_errors=True)
        self._configure()
        self._start_postgres()
        self._client("createdb", "--template=template0", "--encoding=UTF8", "netbox")
        if restore:
            self._client("pg_restore", "--no-owner", "--exit-on-error", "--dbname=netbox", str(self.dump))
        self._start_redis()

    def _start_postgres(self) -> None:
        data = self.run / "postgres"
        init = [postgres_bin("initdb"), "-D", str(data), "-U", "netbox", "-E", "UTF8", "--no-locale", "-A", "trust"]
        subprocess.run([*unprivileged(), *init, "--no-sync"], check=True, capture_output=True)
        options = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "unix_socket_directories=")
        options += ("listen_addresses=127.0.0.1", f"port={self.database_port}", "shared_buffers=64MB")
        argv = [*unprivileged(), postgres_bin("postgres"), "-D", str(data)]
        argv += [part for option in options for part in ("-c", option)]
        postgres = self._daemon("PostgreSQL", argv, signal.SIGINT)
        ready = [postgres_bin("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.database_port)]
        postgres.wait_for(lambda: subprocess.run(ready, check=False).returncode == 0)

    def _start_redis(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            raise NotPossible("redis-server is missing: apt install redis-server")
        options = ["--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        redis = self._daemon("Redis", [program, *options, "--dir", str(self.run), "--requirepass", self.password])
        redis.wait_for(lambda: answers(self.redis_port))

    def _serve(self) -> None:
        # No worker is ended for being slow: until it has answered once, it may only have had too little of the machine.
        options = ["--bind", f"127.0.0.1:{self.port}", "--timeout", "0", "--workers", str(self.workers)]
        argv = [str(self.venv / "bin/gunicorn"), *options, "--preload", "--no-control-socket", "netbox.wsgi"]
        self._daemon("NetBox", argv).wait_for(self._logged_in)

    def _logged_in(self) -> bool:
        request = urllib.request.Request(f"{self.url}/api/status/", headers={"Authorization": f"Token {self.token}"})
        with contextlib.suppress(OSError, urllib.error.URLError), urllib.request.urlopen(request, timeout=60) as answer:
            return bool(answer.status == 200)
        return False

    def _daemon(self, name: str, argv: list[str], stop: int = signal.SIGTERM) -> Daemon:
        file = self.run / f"{name}.log"
        log = self._stack.enter_context(file.open("wb"))
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=self.environment,
            start_new_session=True,
            preexec_fn=lambda: _end_with_parent(stop),
        )
        self._stack.callback(_end, process, stop)
        return Daemon(name, process, file)

    # -- NetBox's own commands ---------------------------------------------------------------------

    @property
    def environment(self) -> dict[str, str]:
        """What NetBox's processes are started with."""
        root = str(self.run / "root")
        return {**os.environ, "NETBOX_ROOT": root, "DJANGO_SETTINGS_MODULE": "netbox.settings"}

    def manage(self, *args: str, text: str | None = None) -> str:
        """Run a management command; return what it says."""
        argv = [*_NICE, str(self.venv / "bin/netbox"), *args]
        answer = subprocess.run(argv, input=text, capture_output=True, text=True, env=self.environment, check=False)
        if answer.returncode:
            raise NotPossible(f"netbox {args[0]} failed: {answer.stderr[-2000:]}")
        return answer.stdout

    def shell(self, code: str) -> str:
        """Run Python inside NetBox; return what it printed."""
        return self.manage("shell", "--no-imports", "-c", code)

    def _make_token(self) -> str:
        token = secrets.token_hex(20)
        self.shell(
            "from users.models import User, Token\n"
            f"user = User.objects.create_superuser('admin', 'admin@example.org', {self.password!r})\n"
            f"Token.objects.create(user=user, version=1, token={token!r})\n"
        )
        return token

    def _client(self, program: str, *args: str) -> None:
        place = ["-h", "127.0.0.1", "-p", str(self.database_port), "-U", "netbox"]
        subprocess.run([postgres_bin(program), *place, *args], check=True, env=self.environment)

    def _configure(self) -> None:
        conf = self.run / "root" / "conf"
        conf.mkdir(parents=True)
        redis = {"HOST": "127.0.0.1", "PORT": self.redis_port, "PASSWORD": self.password, "SSL": False}
        database = {"NAME": "netbox", "USER": "netbox", "PASSWORD": "", "HOST": "127.0.0.1"}
        settings = {
            "ALLOWED_HOSTS": ["127.0.0.1"],
            "DATABASES": {"default": {**database, "PORT": str(self.database_port), "CONN_MAX_AGE": 300}},
            "REDIS": {"tasks": {**redis, "DATABASE": 0}, "caching": {**redis, "DATABASE": 1}},
            "SECRET_KEY": secrets.token_hex(32),
            "API_TOKEN_PEPPERS": {1: secrets.token_hex(32)},
            "CENSUS_REPORTING_ENABLED": False,
            "RELEASE_CHECK_URL": None,
        }
        (conf / "configuration.py").write_text("".join(f"{name} = {value!r}\n" for name, value in settings.items()))


def _checked(argv: list[str], environment: dict[str, str] | None = None) -> None:
    """Run a program; NotPossible with the end of what it said."""
    answer = subprocess.run(argv, stderr=subprocess.PIPE, text=True, env=environment, check=False)
    if answer.returncode:
        raise NotPossible(f"{' '.join(argv[:8])} ended with status {answer.returncode}: {answer.stderr[-2000:]}")


def _cpu_s(pid: int) -> float:
    """Return the CPU time of a process (proc(5): fields 14 and 15 of its stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _end_with_parent(stop: int) -> None:
    """Ask the kernel for a signal when the parent dies, also where it is killed (PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, stop)


def _end(process: subprocess.Popen[bytes], stop: int) -> None:
    """End a process and those it started: its own session."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(stop)
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def cpu_and_wall(title: str) -> Iterator[None]:
    """Print what a step cost."""
    begin, before = time.monotonic(), os.times()
    yield
    after = os.times()
    cpu_s = sum(after[:4]) - sum(before[:4])
    print(f"{title}: {time.monotonic() - begin:.0f} s, of which {cpu_s:.0f} s CPU in programs that have ended")


def serve(folder: Path, file: Path) -> None:
    """Serve until a signal ends it; the file is there from the first answer until every process has ended."""
    try:
        with Server(folder) as server:
            beside = file.with_suffix(".new")
            beside.touch(mode=0o600)
            beside.write_text(json.dumps({"url": server.url, "token": server.token, "pid": os.getpid()}))
            beside.rename(file)
            signal.pause()
    finally:
        file.unlink(missing_ok=True)


def main() -> int:
    """``prepare FOLDER``, or ``serve FOLDER FILE`` until SIGTERM."""
    command, folder = sys.argv[1], Path(sys.argv[2])
    signal.signal(signal.SIGTERM, lambda *_args: sys.exit(143))
    try:
        if command == "prepare":
            with cpu_and_wall("NetBox prepared"):
                Server(folder).prepare()
        else:
            serve(folder, Path(sys.argv[3]))
    except NotPossible as exc:
        print(f"NO REAL NETBOX: {exc}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
