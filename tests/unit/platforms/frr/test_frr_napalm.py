# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""NAPALM's own public driver tests, over outputs recorded from the project's lab.

A getter that the driver does not have is skipped by NAPALM's tests themselves. STRETCHNET_GOLDEN=write writes
the expected results of the getters that are recorded.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.frr import device as frr_device
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.frr import read
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.frr.driver import FRRDriver
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.frr.shell import Output
from napalm.base.test import conftest as napalm_conftest
from napalm.base.test.getters import BaseTestGetters

HERE = Path(__file__).parent
PING = """\
PING 8.8.8.8 (8.8.8.8) 100(128) bytes of data.
108 bytes from 8.8.8.8: icmp_seq=1 ttl=64 time=0.142 ms
108 bytes from 8.8.8.8: icmp_seq=2 ttl=64 time=0.050 ms

--- 8.8.8.8 ping statistics ---
3 packets transmitted, 2 received, 33% packet loss, time 203ms
rtt min/avg/max/mdev = 0.050/0.096/0.142/0.046 ms
"""


class RecordedShell:
    """The driver's shell over recorded outputs."""

    name = "leaf-b1"
    alive = True

    def __init__(self) -> None:
        self.current_test = self.current_test_case = ""
        self._said = json.loads((HERE / "samples/leaf-b1.outputs.json").read_text())
        frr, _unused, interfaces = (HERE / "samples/leaf-b1.conf").read_text().partition("!! interfaces\n")
        frr = frr.removeprefix("!! frr.conf\n")
        self._said |= {
            frr_device._READ_RUNNING: [0, "Building configuration...\n\nCurrent configuration:\n!\n" + frr],
            frr_device._READ_STARTUP: [0, frr],
            frr_device._READ_INTERFACES: [0, interfaces],
            frr_device._READ_STARTUP_INTERFACES: [0, interfaces],
            frr_device._READ_SOURCED: [0, ""],
        }

    def open(self) -> None: ...

    def close(self) -> None: ...

    def batch(self, commands: Any) -> dict[str, Output]:
        said = {command: Output(command, *self._said.get(command, [1, "% Unknown command"])) for command in commands}
        if self.current_test == "test_get_arp_table_with_vrf":
            # The lab's kernel has no VRF: put the bridges of the recording into one.
            links = json.loads(said[read.LINK].out) + [{"ifname": "TEST", "linkinfo": {"info_kind": "vrf"}}]
            bridged = [{**link, "master": "TEST"} if link["ifname"].startswith("br") else link for link in links]
            said[read.LINK] = Output(read.LINK, 0, json.dumps(bridged))
        return said

    def run(self, command: str, **_unused: Any) -> Output:
        assert command.startswith("ping ")
        return Output(command, 0, PING)

    @property
    def expected_result(self) -> Any:
        return json.loads(
            (HERE / "mocked_data" / self.current_test / self.current_test_case / "expected_result.json").read_text()
        )


class RecordedDriver(FRRDriver):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.patched_attrs = ["device"]
        self.device = RecordedShell()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    napalm_conftest.pytest_generate_tests(metafunc, __file__)


class TestGetters(BaseTestGetters):
    """NAPALM's tests of the getters."""

    driver = FRRDriver

    device = RecordedDriver("leaf-b1", "netops", "")


def in_vrf(device: FRRDriver) -> Any:
    device.device.current_test = "test_get_arp_table_with_vrf"
    try:
        return device.get_arp_table(vrf="TEST")
    finally:
        device.device.current_test = ""


@pytest.mark.skipif(os.environ.get("STRETCHNET_GOLDEN") != "write", reason="writes the expected results")
def test_write_expected_results() -> None:
    device = RecordedDriver("leaf-b1", "netops", "")
    calls = {
        f"test_{name}": getattr(device, name)
        for name in (
            "is_alive", "get_facts", "get_interfaces", "get_interfaces_counters", "get_mac_address_table",
            "get_arp_table", "get_ipv6_neighbors_table", "get_bgp_neighbors", "get_config",
        )
    } | {
        "test_ping": lambda: device.ping("8.8.8.8"),
        "test_get_arp_table_with_vrf": lambda: in_vrf(device),
        "test_get_config_filtered": lambda: device.get_config(retrieve="candidate"),
        "test_get_config_sanitized": lambda: device.get_config(sanitized=True),
        "test_get_config_sanitized_filtered": lambda: device.get_config(sanitized=True),
    }  # fmt: skip
    for name, call in calls.items():
        folder = HERE / "mocked_data" / name / "normal"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "expected_result.json").write_text(json.dumps(call(), indent=1) + "\n")
