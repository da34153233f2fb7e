# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole runbook by ansible-playbook on simulated EOS, NX-OS (SSH and NX-API) and Junos; the move of a VM aside.

Every gate runs with all of its checks: the simulators derive the facts from their configurations. What they cannot
tell is said by the platforms themselves (resources, optics) and skipped as the checks' own documentation allows.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import registry
from ansible_collections.stretchnet.fabric.plugins.module_utils.runbook.fleet import Fleet
from ansible_collections.stretchnet.fabric.tests.simulators.mixed_fabric import VNI, MixedFabric

ROOT = Path(__file__).resolve().parents[3]
COLLECTIONS = Path(registry.__file__).parents[6]


class Site:
    """The fabric, its files, and runs of playbooks on it."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder, self._environment = folder, environment
        self.lab = MixedFabric(folder / "devices")
        self.hosts, self.change = self.lab.write(folder)

    def play(self, playbook: str, **extra: object) -> tuple[int, str]:
        """Run a playbook as a user does; return its status and what it said."""
        variables = json.dumps({"stretchnet_run_dir": str(self.folder / "runs"), **extra})
        argv = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(self.hosts), "-e", variables]
        environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "HOME": str(self.folder)}
        environment |= {"ANSIBLE_NOCOLOR": "1", "COLUMNS": "10000", **self._environment}
        done = subprocess.run(
            [*argv, str(ROOT / "playbooks" / f"{playbook}.yml")], capture_output=True, text=True, env=environment,
            cwd=ROOT, timeout=300, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def report(self, change_id: str = "mixed-1") -> dict[str, Any]:
        """Return the evidence."""
        found: dict[str, Any] = json.loads((self.folder / "runs" / change_id / "report" / "report.json").read_text())
        return found

    def removal(self, site: str) -> Path:
        """Write the change that takes the segment away from a site; return its file."""
        file = self.folder / "unstretch.yml"
        wanted = {**self.lab.change(), "change_id": "mixed-2", "remove_from": [site]}
        file.write_text(yaml.safe_dump(wanted))
        return file

    def targets(self) -> set[str | None]:
        """Return the route targets under which the devices announce the segment; None: one has no such VNI."""
        return {self.lab.target(name, VNI) for name in self.lab.switches}

    def configs(self) -> dict[str, str]:
        """Return the running configuration of every device."""
        devices = self.lab.fabric.devices
        fleet = Fleet.connect(
            devices, {d.platform: registry.platform(d.platform) for d in devices}, self.lab.credentials
        )
        try:
            return {d.name: fleet.one(d.name, lambda session: session.config()) for d in devices}
        finally:
            fleet.close()

    def drift(self, before: dict[str, str]) -> list[Any]:
        """Return what is not as it was."""
        now = self.configs()
        return [
            difference
            for d in self.lab.fabric.devices
            for difference in registry.platform(d.platform).config_differences(d.name, before[d.name], now[d.name])
        ]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """The fabric as most users play on it: each task loads the libraries of the vendors by itself."""
    found = Site(tmp_path)
    yield found
    found.lab.close()


@pytest.fixture
def quick_site(tmp_path: Path) -> Iterator[Site]:
    """The fabric, with the libraries loaded once for all tasks of a playbook."""
    found = Site(tmp_path, STRETCHNET_PRELOAD="eos,nxos,junos")
    yield found
    found.lab.close()


def test_stretched_then_taken_away_from_one_site_and_each_change_taken_back(quick_site: Site) -> None:
    """One after the other on one fabric, as changes come: a stretch more would prove nothing more."""
    before = quick_site.configs()
    changed(quick_site, "stretch_vlan", change=str(quick_site.change))
    assert_stretched(quick_site)
    unchanged(quick_site, "stretch_vlan", change=str(quick_site.change))
    stretched = quick_site.configs()

    assert_taken_away_and_put_back(quick_site)
    assert quick_site.targets() == {"10100:10100"} and quick_site.drift(stretched) == []

    changed(quick_site, "rollback", change_id="mixed-1")
    report = quick_site.report()
    assert (report["outcome"], report["rollback_proven"], report["differences"]) == ("reverted", True, [])
    assert quick_site.targets() == {None} and quick_site.drift(before) == []


def changed(site: Site, playbook: str, **extra: object) -> None:
    """Run a playbook that must end well."""
    status, output = site.play(playbook, **extra)
    assert status == 0, output


def unchanged(site: Site, playbook: str, **extra: object) -> None:
    """Run a playbook again: it must end well and have changed nothing."""
    status, output = site.play(playbook, **extra)
    assert status == 0, output
    assert not re.search(r"changed=[1-9]", output), output


def assert_stretched(site: Site) -> None:
    report = site.report()
    assert report["outcome"] == "applied"
    assert [gate["verdict"] for gate in report["gates"]] and {gate["verdict"] for gate in report["gates"]} == {"pass"}
    assert site.targets() == {"10100:10100"}
    ends = dict(site.lab.remote(site.lab.fabric.device("leaf-a1"), VNI))
    assert set(ends.values()) == {"10.1.0.12", "10.1.0.21"}, "hosts of B are behind the border of A"


def assert_taken_away_and_put_back(site: Site) -> None:
    """Take a stretched segment away from site B by what runs there, and put it back."""
    stretched, removal = site.configs(), str(site.removal("B"))
    status, output = site.play("unstretch_vlan", change=removal)
    assert status != 0 and "VerifySegmentUnused" in output, "hosts are still there"
    assert site.drift(stretched) == []

    site.lab.move_out("B")
    changed(site, "unstretch_vlan", change=removal)
    assert site.report("mixed-2")["outcome"] == "applied"
    assert {n: site.lab.target(n, VNI) for n in site.lab.switches if site.lab.target(n, VNI)} == {
        "leaf-a1": "10100:10100", "leaf-a2": "10100:10100",
    }  # fmt: skip
    assert {d.device for d in site.drift(stretched)} == {"leaf-b1", "leaf-b2", "border-a", "border-b"}
    unchanged(site, "unstretch_vlan", change=removal)
    changed(site, "rollback", change_id="mixed-2")


def test_a_gate_of_the_second_site_that_fails_takes_both_sites_back(site: Site) -> None:
    before = site.configs()
    site.lab.breaks.add("leaf-b2")
    status, output = site.play("stretch_vlan", change=str(site.change))
    assert status != 0 and "leaves-B" in output, output
    report = site.report()
    assert (report["outcome"], report["rollback_proven"]) == ("reverted", True)
    assert site.targets() == {None} and site.drift(before) == []
