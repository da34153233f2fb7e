# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DWDM circuits of a lab: start their relays, read and change their properties while they run."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..model.errors import LabError
from ..model.fabric import Circuit
from . import netns, node
from .topology import Topology


def namespace(topology: Topology, circuit: Circuit) -> str:
    """Return the namespace in which the circuit's relay runs."""
    return f"{topology.prefix}-wdm-{circuit.name}"


def _socket_path(topology: Topology, circuit: Circuit) -> Path:
    return Path(topology.state_dir, "circuits", f"{circuit.name}.sock")


def settings(topology: Topology, name: str, wanted: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Change what ``wanted`` holds and return all settings and counters of the circuit.

    Keys: ``delay_ms`` (one way), ``loss_percent``, ``mtu``, ``cut`` (none, silent, carrier).
    """
    path = _socket_path(topology, topology.circuit(name))
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(str(path))
            client.sendall(json.dumps(dict(wanted or {})).encode() + b"\n")
            reply = json.loads(client.makefile().readline() or "{}")
    except (OSError, ValueError) as exc:
        raise LabError(f"circuit {name} does not answer ({exc})", remedy="bring the lab up first") from exc
    if not isinstance(reply, dict):
        raise LabError(f"circuit {name}: {reply}")
    if "error" in reply or "cut" not in reply:
        raise LabError(f"circuit {name}: {reply.get('error', reply)}")
    return reply


def is_up(topology: Topology, circuit: Circuit) -> bool:
    """Say whether the relay of the circuit runs and answers."""
    try:
        return bool(settings(topology, circuit.name))
    except LabError:
        return False


def start(topology: Topology, circuit: Circuit) -> None:
    """Start the relay between the two border ports; what is left of an earlier one is removed."""
    space = namespace(topology, circuit)
    netns.add(space)
    path = _socket_path(topology, circuit)
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    ends = []
    for device, port in ((circuit.a_device, circuit.a_port), (circuit.z_device, circuit.z_port)):
        ends += [str(netns.path(node.namespace(topology, device))), port]
    first = {"delay_ms": circuit.delay_ms or 0, "mtu": circuit.mtu}
    argv = ["nsenter", f"--net={netns.path(space)}", _python(), "-I", str(Path(topology.state_dir, "bin/relay.py"))]
    log_path = path.with_suffix(".log")
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            [*argv, str(path), *ends, json.dumps(first)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
        )

    def answers() -> bool:
        if process.poll() is not None:
            raise LabError(f"the relay of circuit {circuit.name} ended: {log_path.read_text()[-400:]}")
        return is_up(topology, circuit)

    netns.wait_for(answers, 30, f"circuit {circuit.name} answers")


def _python() -> str:
    # The machine's own interpreter: a virtual environment may be gone while the lab still runs.
    return shutil.which("python3", path="/usr/bin:/bin:/usr/local/bin") or "python3"
