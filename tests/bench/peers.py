# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collectors that are measured. Each reads the same commands of the same devices, in a process of its own.

    python tests/bench/peers.py NAME JOB.json

JOB has ``devices`` (as sites.py gives them), ``parallel`` and ``folder``. The process ends with an error unless every
device answered every command. Each imports only what it needs, so that its whole process can be compared.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

#: What the product reads for the eight facts of a baseline; bench.py checks that it is still so.
COMMANDS = (
    "show hostname",
    "show version",
    "show mac address-table",
    "show vxlan address-table",
    "show arp vrf all",
    "show ipv6 neighbors vrf all",
    "show bgp evpn summary",
    "show ip bgp summary vrf all",
    "show ipv6 bgp summary vrf all",
    "show bgp evpn detail",
    "show interfaces vxlan 1",
    "show bgp evpn instance",
    "show vxlan vtep",
    "show vxlan config-sanity detail",
    "show vlan",
)
FACTS = ("software", "macs", "neighbors", "bgp_peers", "evpn_routes", "vnis", "vtep", "vlans")
_PRINTED = tuple(f"{command} | json" for command in COMMANDS)
Job = dict[str, Any]


def _pool(job: Job, work: Callable[[dict[str, Any]], int]) -> int:
    with ThreadPoolExecutor(job["parallel"]) as pool:
        return sum(pool.map(work, job["devices"]))


def floor(job: Job) -> int:
    """Bare asyncssh: bytes in, nothing read. What nobody can go below over SSH in Python."""
    import asyncssh

    async def one(device: dict[str, Any], room: asyncio.Semaphore) -> int:
        async with room, asyncssh.connect(
            "127.0.0.1", device["ssh_port"], username=device["user"], password=device["password"],
            known_hosts=device["known_hosts"], config=None, client_keys=None,
        ) as connection:  # fmt: skip
            answers = [await connection.run(command, check=True) for command in _PRINTED]
        return sum(bool(answer.stdout) for answer in answers)

    async def every() -> int:
        room = asyncio.Semaphore(job["parallel"])
        return sum(await asyncio.gather(*(one(device, room) for device in job["devices"])))

    return asyncio.run(every())


def netmiko(job: Job) -> int:
    """netmiko in a pool of threads: text, nothing read."""
    from netmiko import ConnectHandler

    def one(device: dict[str, Any]) -> int:
        connection = ConnectHandler(
            device_type="arista_eos", host="127.0.0.1", port=device["ssh_port"], username=device["user"],
            password=device["password"], ssh_strict=True, alt_host_keys=True, alt_key_file=device["known_hosts"],
        )  # fmt: skip
        try:
            return sum(bool(connection.send_command(command, read_timeout=60)) for command in _PRINTED)
        finally:
            connection.disconnect()

    return _pool(job, one)


def _napalm(job: Job, options: Callable[[dict[str, Any]], dict[str, Any]]) -> int:
    from napalm import get_network_driver

    driver = get_network_driver("eos")

    def one(device: dict[str, Any]) -> int:
        arguments = ("127.0.0.1", device["user"], device["password"])
        with driver(*arguments, timeout=60, optional_args=options(device)) as connection:
            return len(connection.cli(list(COMMANDS), encoding="json"))

    return _pool(job, one)


def napalm_https(job: Job) -> int:
    """NAPALM in a pool of threads, over eAPI: JSON decoded, nothing typed."""
    import ssl

    trust = {file: ssl.create_default_context(cafile=file) for file in {device["ca_file"] for device in job["devices"]}}
    return _napalm(job, lambda d: {"transport": "https", "port": d["https_port"], "context": trust[d["ca_file"]]})


def napalm_ssh(job: Job) -> int:
    """NAPALM in a pool of threads, over SSH."""

    def options(device: dict[str, Any]) -> dict[str, Any]:
        keys = {"alt_host_keys": True, "alt_key_file": device["known_hosts"], "ssh_strict": True}
        return {"transport": "ssh", "port": device["ssh_port"], **keys}

    return _napalm(job, options)


def nornir_napalm(job: Job) -> int:
    """Nornir with its NAPALM plugin, over SSH, as its tutorial has it."""
    from nornir import InitNornir
    from nornir_napalm.plugins.tasks import napalm_cli

    folder = Path(job["folder"])
    napalm = {
        d["name"]: {
            "optional_args": {
                "transport": "ssh",
                "alt_host_keys": True,
                "alt_key_file": d["known_hosts"],
                "ssh_strict": True,
            }
        }
        for d in job["devices"]
    }
    hosts = {
        d["name"]: {
            "hostname": "127.0.0.1", "port": d["ssh_port"], "username": d["user"], "password": d["password"],
            "platform": "eos", "connection_options": {"napalm": {"extras": napalm[d["name"]]}},
        }
        for d in job["devices"]
    }  # fmt: skip
    (folder / "hosts.yaml").write_text(json.dumps(hosts))
    inventory = {"plugin": "SimpleInventory", "options": {"host_file": str(folder / "hosts.yaml")}}
    runner = {"plugin": "threaded", "options": {"num_workers": job["parallel"]}}
    nornir = InitNornir(inventory=inventory, runner=runner, logging={"enabled": False})
    answers = nornir.run(task=napalm_cli, commands=list(_PRINTED))
    return sum(len(answer[0].result) for answer in answers.values() if not answer.failed)


def ansible_eos(job: Job) -> int:
    """``arista.eos.eos_command`` over ``ansible.netcommon.network_cli`` with paramiko, one task for all commands."""
    folder = Path(job["folder"])
    hosts = {
        d["name"]: {
            "ansible_host": "127.0.0.1",
            "ansible_port": d["ssh_port"],
            "ansible_user": d["user"],
            "ansible_password": d["password"],
        }
        for d in job["devices"]
    }
    variables = {
        "ansible_connection": "ansible.netcommon.network_cli", "ansible_network_os": "arista.eos.eos",
        "ansible_network_cli_ssh_type": "paramiko", "ansible_host_key_checking": False, "ansible_command_timeout": 120,
        "ansible_python_interpreter": sys.executable,
    }  # fmt: skip
    (folder / "inventory.json").write_text(json.dumps({"all": {"hosts": hosts, "vars": variables}}))
    task = {"arista.eos.eos_command": {"commands": list(_PRINTED)}}
    (folder / "play.json").write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": [task]}]))
    settings = {
        "ANSIBLE_HOST_KEY_CHECKING": "False",
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_DEPRECATION_WARNINGS": "False",
    }
    subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(folder / "inventory.json"), "-f", str(job["parallel"]), str(folder / "play.json")],
        check=True, cwd=folder, env={**os.environ, **settings}, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return len(COMMANDS) * len(job["devices"])  # a command that failed has failed the play


def _ours(job: Job, transport: str) -> int:
    from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import Fact
    from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms.registry import platform
    from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.clock import SystemClock
    from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.fleet import Fleet
    from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.survey import survey
    from sites import Sites

    sites = Sites(job["devices"])
    fabric = sites.fabric()
    fleet = Fleet.connect(fabric.devices, {"eos": platform("eos")}, sites.credentials(transport), job["parallel"])
    seen = survey(fleet, fabric, SystemClock(), facts=tuple(map(Fact, FACTS)))
    fleet.close()
    whole = [state for state in seen.devices if not state.unread and len(state.macs or ()) == job["entries"]]
    return len(COMMANDS) * len(whole)


def ours_https(job: Job) -> int:
    """The verb ``survey`` of this collection over eAPI, its default: all read, joined and typed."""
    return _ours(job, "https")


def ours_ssh(job: Job) -> int:
    """The verb ``survey`` of this collection over SSH."""
    return _ours(job, "ssh")


PEERS: dict[str, Callable[[Job], int]] = {
    peer.__name__: peer
    for peer in (ours_https, ours_ssh, floor, netmiko, napalm_https, napalm_ssh, nornir_napalm, ansible_eos)
}

if __name__ == "__main__":
    job_of_this_run = json.loads(Path(sys.argv[2]).read_text())
    answered = PEERS[sys.argv[1]](job_of_this_run)
    expected = len(COMMANDS) * len(job_of_this_run["devices"])
    if answered != expected:
        raise SystemExit(f"{sys.argv[1]}: {answered} of {expected} commands were answered")
