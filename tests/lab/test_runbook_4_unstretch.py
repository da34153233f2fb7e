# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A segment whose rollback point is gone is taken away from a site: refused while used, staged, proven, put back."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from runbook_bench import CHANGE, CHANGE_ID, Twin, change_file, differences, fail, run, undisturbed, wait_for

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.usefixtures("as_it_was")]

REMOVAL_ID = "CHG-2026-0101"
UNPLUGGED = ("host-b", "hv-b")
TOUCHED = {"border-a1", "border-b1", "leaf-b1", "leaf-b2"}


def removal_file(folder: Path) -> str:
    change = yaml.safe_load(CHANGE.with_name("unstretch-vlan100.yml").read_text())
    path = folder / "removal.yml"
    path.write_text(yaml.safe_dump(change))
    return str(path)


@contextlib.contextmanager
def unplugged(lab: Twin) -> Iterator[None]:
    """The machine of ZONE-B and its hypervisor's bridge are off the net; the kernel forgets their routes with the link."""
    routes = {
        (node, family): lab.sh(node, f"ip {family} route show default dev eth1").strip()
        for node in UNPLUGGED
        for family in ("-4", "-6")
    }
    for node in UNPLUGGED:
        lab.sh(node, "sysctl -qw net.ipv6.conf.eth1.keep_addr_on_down=1; ip link set eth1 down")
    try:
        down = "ip -o link show swp11 | grep -o 'state [A-Z]*'"
        wait_for(lambda: "state DOWN" in lab.sh("leaf-b2", down), 20, "down")
        yield
    finally:
        for node in UNPLUGGED:
            lab.sh(node, "ip link set eth1 up")
        for (node, family), route in routes.items():
            if route:
                lab.sh(node, f"ip {family} route replace {route} dev eth1")


def test_taken_away_where_nothing_uses_it(lab: Twin, old: dict[str, dict[str, str]], tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    run("stretch_vlan", runs, "--skip-tags", "migrate,validate", change=change_file(tmp_path))
    kept = shutil.move(runs, tmp_path / "kept")  # as if it had been stretched by other means: no point, no plan
    stretched, removal = lab.snapshot(), removal_file(tmp_path)

    assert lab.pings("host-b"), "the guest is reached over the stretch"
    refused = fail("unstretch_vlan", runs, change=removal)
    assert "a machine is still in the segment" in refused.output, "host-b stands behind leaf-b2"
    assert differences(stretched, lab.snapshot()) == []
    wrong = fail("stretch_vlan", runs, change=removal)
    assert "use the playbook unstretch_vlan" in wrong.output

    with unplugged(lab), undisturbed(tmp_path / "series"):
        shown = run("unstretch_vlan", runs, "--check", "--diff", change=removal)
        assert all(f"(item={device})" in shown.output for device in TOUCHED)
        assert differences(stretched, lab.snapshot()) == []
        run("unstretch_vlan", runs, change=removal)
        gone = lab.snapshot()
        assert {line.split(",")[0] for line in differences(stretched, gone)} == TOUCHED
        for device in TOUCHED:
            assert "10100" not in gone[device]["running frr"] + gone[device]["startup interfaces"]
        assert run("unstretch_vlan", runs, change=removal).changed == 0
        run("rollback", runs, change_id=REMOVAL_ID)
        assert differences(stretched, lab.snapshot()) == [], "the way back puts back just what was there"
    run("rollback", Path(kept), change_id=CHANGE_ID)
    assert differences(old, lab.snapshot()) == []
