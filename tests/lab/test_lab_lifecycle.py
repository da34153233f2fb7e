# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab comes up, heals, can be hurt on purpose, and leaves nothing behind: a lab of its own, beside any other."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils import lab
from ansible_collections.stretchnet.fabric.plugins.module_utils.lab import lifecycle, netns, node

pytestmark = pytest.mark.lab

ROOT = Path(__file__).resolve().parents[2]
PREFIX, STATE = "snlife", Path("/var/lib/snlife")
RUN = netns.NETNS_DIR


def play(name: str) -> subprocess.Popen[str]:
    variables = {"stretchnet_lab_prefix": PREFIX, "stretchnet_lab_state_dir": str(STATE)}
    argv = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "inventories/lab", f"playbooks/lab_{name}.yml"]
    return subprocess.Popen(
        [*argv, "-e", json.dumps(variables)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
    )


def run(name: str) -> int:
    """Run lab_up or lab_down to its good end; return how many tasks changed something."""
    process = play(name)
    output, _unused = process.communicate(timeout=300)
    assert process.returncode == 0, output[-4000:]
    # The guard's play stands in the recap too, under the name of the first device.
    changed = re.findall(r"^localhost .*changed=(\d+)", output, re.MULTILINE)
    assert len(changed) == 1, output[-4000:]
    return int(changed[0])


def wait_for(condition: Callable[[], bool], timeout_s: float, what: str) -> float:
    begin_s = time.monotonic()
    while not condition():
        assert time.monotonic() - begin_s < timeout_s, f"not within {timeout_s} s: {what}"
        time.sleep(0.05)
    return time.monotonic() - begin_s


def traces(inodes: set[int]) -> list[str]:
    """Return what is left of the lab: files, mounts, namespaces, and processes by namespace or argument."""
    found = [str(path) for path in (STATE, *RUN.glob(f"{PREFIX}-*")) if path.exists()]
    found += [line for line in Path("/proc/mounts").read_text().splitlines() if PREFIX in line]
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            in_lab = os.stat(process / "ns/net").st_ino in inodes
            if in_lab or str(STATE).encode() in (process / "cmdline").read_bytes():
                found.append(f"{process} {(process / 'cmdline').read_bytes()!r}")
    return found


def inodes() -> set[int]:
    return {path.stat().st_ino for path in RUN.glob(f"{PREFIX}-*")}


@pytest.fixture(scope="module")
def topology() -> Iterator[lab.Topology]:
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("the lab needs root")
    try:
        assert run("up") > 0
        yield lab.Topology.from_data(json.loads((STATE / "topology.json").read_text()))
    finally:
        seen = inodes()
        run("down")
        assert traces(seen) == []


def test_up_again_changes_nothing(topology: lab.Topology) -> None:
    assert run("up") == 0


def test_every_device_is_in_its_declared_state(topology: lab.Topology) -> None:
    for device in topology.devices:
        lab.exec_in(topology, device.name, ["ifquery", "-c", "-a"])
        done = lab.exec_in(topology, device.name, ["/usr/lib/frr/frr-reload.py", "--test", "/etc/frr/frr.conf"])
        assert "Lines To" not in done.stdout, done.stdout
        assert lifecycle.missing_sessions(topology, device) == []


def test_the_machine_itself_is_not_touched_and_nodes_do_not_see_the_lab(topology: lab.Topology) -> None:
    assert "198.18." not in subprocess.run(["ip", "addr"], capture_output=True, text=True, check=True).stdout
    assert lab.exec_in(topology, "leaf-a1", ["ls", "-A", str(STATE)]).stdout == ""
    assert (STATE / "ssh/id_ed25519").stat().st_mode & 0o777 == 0o600


def ssh(address: str, *more: str) -> subprocess.CompletedProcess[str]:
    argv = ["ip", "netns", "exec", f"{PREFIX}-mgmt", str(STATE / "bin/ssh"), "-i", str(STATE / "ssh/id_ed25519")]
    argv += ["-o", "ConnectTimeout=2", *more, f"netops@{address}", "sudo -n hostname"]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=20)


def test_the_controller_reaches_every_node_by_ssh_and_only_with_its_own_host_key(topology: lab.Topology) -> None:
    for each in topology.nodes:
        assert ssh(str(each.management_ip)).stdout.strip() == each.name
    one, other = topology.nodes[:2]
    wrong = ssh(str(one.management_ip), "-o", f"HostKeyAlias={other.management_ip}")
    assert wrong.returncode == 255 and "HOST IDENTIFICATION HAS CHANGED" in wrong.stderr


def bystander(topology: lab.Topology, *options: str) -> bool:
    done = lab.exec_in(topology, "host-a", ["ping", "-n", "-c1", "-W1", *options, "10.10.0.22"], check=False)
    return done.returncode == 0


def test_delay_and_loss_of_the_circuit_are_felt(topology: lab.Topology) -> None:
    lab.circuit(topology, "dwdm1", {"delay_ms": 30})
    done = lab.exec_in(topology, "host-a", ["ping", "-n", "-c3", "-i0.2", "10.10.0.22"])
    best_ms = float(re.search(r"= ([\d.]+)/", done.stdout).group(1))  # type: ignore[union-attr]
    lab.circuit(topology, "dwdm1", {"delay_ms": 2})
    assert 60 <= best_ms < 90
    lab.circuit(topology, "dwdm1", {"cut": "silent"})
    assert not bystander(topology)
    lab.circuit(topology, "dwdm1", {"cut": "none"})
    wait_for(lambda: bystander(topology), 30, "pings after the cut has healed")


def test_a_carrier_cut_is_noticed_by_the_border_at_once(topology: lab.Topology) -> None:
    def carrier() -> str:
        return lab.exec_in(topology, "border-a1", ["cat", "/sys/class/net/swp3/carrier"]).stdout.strip()

    assert carrier() == "1"
    lab.circuit(topology, "dwdm1", {"cut": "carrier"})
    wait_for(lambda: carrier() == "0", 2, "loss of light")
    lab.circuit(topology, "dwdm1", {"cut": "none"})
    wait_for(lambda: carrier() == "1", 2, "light")
    wait_for(lambda: bystander(topology), 60, "pings after the cut has healed")


def test_a_management_link_can_be_cut_and_the_data_plane_does_not_care(topology: lab.Topology) -> None:
    leaf = topology.node("leaf-a2")
    assert lab.fault(topology, leaf.name, lab.Fault.MANAGEMENT_DOWN)
    assert not lab.fault(topology, leaf.name, lab.Fault.MANAGEMENT_DOWN)
    assert ssh(str(leaf.management_ip)).returncode == 255
    assert bystander(topology)
    assert lab.fault(topology, leaf.name, lab.Fault.MANAGEMENT_UP)
    wait_for(lambda: ssh(str(leaf.management_ip)).returncode == 0, 30, "ssh is back")


def test_a_power_cycled_leaf_comes_back_with_its_disk(topology: lab.Topology) -> None:
    lab.exec_in(topology, "leaf-a2", ["touch", "/etc/frr/kept", "/run/lost"])
    assert lab.fault(topology, "leaf-a2", lab.Fault.POWER_CYCLE)
    lab.exec_in(topology, "leaf-a2", ["test", "-e", "/etc/frr/kept", "-a", "!", "-e", "/run/lost"])
    lifecycle.converged(topology)
    lab.exec_in(topology, "leaf-a2", ["ifquery", "-c", "-a"])


def test_up_heals_a_node_a_daemon_and_a_relay_that_were_killed(topology: lab.Topology) -> None:
    for pid in netns.pids(f"{PREFIX}-wdm-dwdm1"):
        os.kill(pid, signal.SIGKILL)
    lab.exec_in(topology, "leaf-b1", ["pkill", "-KILL", "-x", "bgpd"])
    os.kill(node.init_pid(topology, "spine-b1") or 0, signal.SIGKILL)
    assert run("up") > 0
    assert bystander(topology)
    assert run("up") == 0


@pytest.mark.parametrize(
    "moment", ["ssh", *(pytest.param(late, marks=pytest.mark.long) for late in ("mgmt", "host-b")), "wdm-dwdm1"]
)
def test_down_after_up_was_killed_leaves_nothing(topology: lab.Topology, moment: str) -> None:
    run("down")
    process = play("up")
    mark = STATE / "ssh" if moment == "ssh" else RUN / f"{PREFIX}-{moment}"
    wait_for(mark.exists, 60, f"up has come to {mark}")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    seen = inodes()
    run("down")
    assert traces(seen) == []


@pytest.mark.long
def test_up_after_up_was_killed_comes_up(topology: lab.Topology) -> None:
    run("down")
    process = play("up")
    wait_for((RUN / f"{PREFIX}-leaf-b1").exists, 60, "half of the nodes")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert run("up") > 0
    assert bystander(topology)
