# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab with many more leaves of real FRR: stretched, moved, taken back, by the same commands.

``STRETCHNET_LEAVES`` says how many (12; 64 takes 5 GB and some minutes). The lab has a prefix of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from runbook_bench import BIN, CHANGE, CHANGE_ID, INVENTORY, PREFIX, ROOT

pytestmark = [pytest.mark.lab, pytest.mark.long]
LEAVES = int(os.environ.get("STRETCHNET_LEAVES", "12"))
LARGE = f"{PREFIX[:9]}xl"
SITES = {"ZONE-A": ("a", 1), "ZONE-B": ("b", 2)}
LIMIT_S = 1800.0


def more_leaves(folder: Path) -> None:
    """Write an inventory that adds leaves to the lab's own, half of them to each site."""
    known = yaml.safe_load((INVENTORY / "group_vars" / "all.yml").read_text())
    hosts: dict[str, dict[str, Any]] = {}
    links, limits = list(known["stretchnet_links"]), list(known["stretchnet_design"]["leaves"])
    for site, (letter, number) in SITES.items():
        for leaf in range(3, LEAVES // 2 + 1):
            name, address = f"leaf-{letter}{leaf}", f"10.255.{10 + number}.{leaf}"
            hosts[name] = {
                "ansible_host": f"198.18.{number}.{leaf}", "stretchnet_site": site, "stretchnet_asn": 64512 + 100 * number + leaf,
                "stretchnet_router_id": address, "stretchnet_vtep_ip": address,
            }  # fmt: skip
            for spine in (1, 2):
                links.append({
                    "a_device": f"spine-{letter}{spine}", "a_port": f"swp{leaf + 1}", "z_device": name, "z_port": f"swp{spine}",
                    "speed_gbps": 100, "mtu": 9100,
                })  # fmt: skip
            limits.append({**limits[0], "device": name})
    folder.mkdir()
    (folder / "hosts.yml").write_text(
        yaml.safe_dump({"all": {"children": {"fabric": {"children": {"leaves": {"hosts": hosts}}}}}})
    )
    everywhere = {
        "stretchnet_links": links,
        "stretchnet_design": {**known["stretchnet_design"], "leaves": limits},
        "stretchnet_lab_management": {"network": "198.18.0.0/22", "controller": "198.18.0.1"},
    }
    (folder / "group_vars").mkdir()
    (folder / "group_vars" / "all.yml").write_text(yaml.safe_dump(everywhere))


class Large:
    """The large lab, and the playbooks on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        more_leaves(folder / "more")

    def play(self, playbook: str, *, inside: bool = True, **extra: str) -> float:
        """Run a playbook to its end, which must be a success; return how long it took."""
        variables = {"stretchnet_lab_prefix": LARGE, "stretchnet_run_dir": str(self.folder / "runs"), **extra}
        argv = ["ip", "netns", "exec", f"{LARGE}-mgmt"] if inside else []
        argv += [str(BIN / "ansible-playbook"), "-i", str(INVENTORY), "-i", str(self.folder / "more")]
        argv += [f"playbooks/{playbook}.yml", "-e", json.dumps(variables)]
        begin_s = time.monotonic()
        env = {**os.environ, "ANSIBLE_NOCOLOR": "1", "STRETCHNET_LAB_PREFIX": LARGE}
        done = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, timeout=LIMIT_S, check=False)
        (self.folder / f"{playbook}.log").write_text(done.stdout + done.stderr)
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        print(f"{playbook}: {time.monotonic() - begin_s:.0f} s")
        return time.monotonic() - begin_s

    def report(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads((self.folder / "runs" / CHANGE_ID / "report" / "report.json").read_text())
        return told


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Large]:
    lab = Large(tmp_path_factory.mktemp("large"))
    try:
        lab.play("lab_up", inside=False)
        yield lab
    finally:
        lab.play("lab_down", inside=False)


def test_stretched_over_all_leaves_moved_and_taken_back(large: Large) -> None:
    change = yaml.safe_load(CHANGE.read_text())
    # All of these leaves and their gate share two cores: a timer that real switches would not need.
    lost = int(os.environ.get("STRETCHNET_LAB_MAX_LOST", "1"))
    change["gates"].update(max_lost_at_1pps=lost, revert_in_s=300, settle_s=90)
    file = large.folder / "change.yml"
    file.write_text(yaml.safe_dump(change))
    large.play("stretch_vlan", change=str(file))
    told = large.report()
    assert told["outcome"] == "applied"
    assert {gate["verdict"] for gate in told["gates"]} == {"pass"}
    touched = [change["device"] for stage in told["plan"]["stages"] for change in stage["changes"]]
    assert len(touched) == LEAVES + 2
    converged = {point["device"] for point in told["convergence"] if point["at_s"] is not None}
    assert len(converged) == LEAVES
    large.play("rollback", change_id=CHANGE_ID)
    told = large.report()
    assert (told["outcome"], told["rollback_proven"], told["differences"]) == ("reverted", True, [])
