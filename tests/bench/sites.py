# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start simulated sites in processes of their own, and see them as the product's fabric."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import json
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Device, Fabric, Role
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import Site as SiteOfFabric
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.session import Credentials

_START_LIMIT_S = 120


class Sites:
    """The running sites: a list of devices (as ``site.json`` has them, with ``site`` added), and the files they share."""

    def __init__(self, devices: list[dict[str, Any]]) -> None:
        self.devices = devices

    def fabric(self) -> Fabric:
        """The product's view of them: leaves only."""
        sites = tuple(SiteOfFabric(name) for name in dict.fromkeys(d["site"] for d in self.devices))
        return Fabric("bench", sites, tuple(self._device(i, d) for i, d in enumerate(self.devices, 1)))

    def _device(self, number: int, told: dict[str, Any]) -> Device:
        vtep = ipaddress.IPv4Address(told["vtep"])
        return Device(told["name"], told["site"], Role.LEAF, "eos", 4200000000 + number, vtep, vtep)

    def credentials(self, transport: str = "https", timeout_s: float = 60) -> dict[str, Credentials]:
        """How the product reaches each."""
        return {told["name"]: _credentials(told, transport, timeout_s) for told in self.devices}

    def commands(self, name: str) -> dict[str, int]:
        """How often the device was asked each command, by its own count."""
        told = next(d for d in self.devices if d["name"] == name)
        context = ssl.create_default_context(cafile=told["ca_file"])
        connection = http.client.HTTPSConnection("127.0.0.1", told["https_port"], context=context, timeout=20)
        with contextlib.closing(connection):
            connection.request("GET", "/commands")
            counts: dict[str, int] = json.loads(connection.getresponse().read())
        return counts


def _credentials(told: dict[str, Any], transport: str, timeout_s: float) -> Credentials:
    if transport == "https":
        options: dict[str, object] = {"ca_file": told["ca_file"]}
        return Credentials(
            "127.0.0.1", told["https_port"], told["user"], told["password"], timeout_s=timeout_s, options=options
        )
    return Credentials(
        "127.0.0.1", told["ssh_port"], told["user"], told["password"], known_hosts_file=told["known_hosts"],
        timeout_s=timeout_s, options={"transport": "ssh"},
    )  # fmt: skip


@contextlib.contextmanager
def running(folder: Path, count: int, *arguments: str, sites: int = 1) -> Iterator[Sites]:
    """Run ``count`` switches in ``sites`` processes; ``arguments`` are simulated.py's."""
    with contextlib.ExitStack() as stack:
        places = []
        for number in range(sites):
            place = folder / f"site-{number}"
            place.mkdir(parents=True)
            share = count // sites + (number < count % sites)
            process = stack.enter_context(_process(place, number, share, arguments))
            places.append((place, process))
        devices = []
        for number, (place, process) in enumerate(places):
            told = _wait(place / "site.json", process)
            shared = {key: value for key, value in told.items() if key != "devices"}
            devices += [{**device, **shared, "site": f"SITE-{number}"} for device in told["devices"]]
        yield Sites(devices)


@contextlib.contextmanager
def _process(place: Path, number: int, count: int, arguments: tuple[str, ...]) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, str(Path(__file__).with_name("simulated.py")), str(place), "--count", str(count)]
    command += ["--prefix", f"leaf-{number}", "--first-address", f"10.{64 + number}.0.0", *arguments]
    with open(place / "log", "wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _wait(file: Path, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    end = time.monotonic() + _START_LIMIT_S
    while not file.exists():
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"the simulated site did not start: {(file.parent / 'log').read_text()[-2000:]}")
        time.sleep(0.05)
    told: dict[str, Any] = json.loads(file.read_text())
    return told
