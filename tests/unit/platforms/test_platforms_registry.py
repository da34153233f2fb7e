# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry finds every folder of platforms, and says which there are when asked for another."""

from __future__ import annotations

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError, ParseError
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import registry


@pytest.mark.parametrize("name", registry.names())
def test_every_folder_is_a_platform(name: str) -> None:
    found = registry.platform(name)
    assert found.name == name
    assert isinstance(found.can_arm, bool)
    for method in ("session", "read", "render", "config_differences"):
        assert callable(getattr(found, method))


@pytest.mark.parametrize("name", registry.names())
def test_an_unknown_command_is_refused_by_name(name: str) -> None:
    with pytest.raises(ParseError, match="no reader knows this command") as caught:
        registry.read(name, "leaf-x", {"show nonesuch": "text"})
    assert (caught.value.device, caught.value.command) == ("leaf-x", "show nonesuch")


@pytest.mark.parametrize(
    ("name", "command", "output"),
    [
        ("eos", "sh ver | json", '{"version": "4.30.1F", "modelName": "X"}'),
        ("nxos", "sh vlan bri", "leaf-x# sh vlan bri\n\nVLAN Name     Status    Ports\n---- ---- ---- ----\n7    web      active    Eth1/3\n"),
        ("junos", "sh version | display json | no-more",
         '{"software-information": [{"host-name": [{"data": "leaf-x"}], "product-model": [{"data": "q"}], '
         '"junos-version": [{"data": "22.1R1"}]}]}\n\n{master:0}\nadmin@leaf-x> '),
        ("frr", "sudo vtysh -c 'sh ver'", "FRRouting 10.1 (leaf-x) on Linux.\n"),
    ],
)  # fmt: skip
def test_one_entry_reads_what_was_typed(name: str, command: str, output: str) -> None:
    state = registry.read(name, "leaf-x", {command: output})
    assert (state.device, state.platform) == ("leaf-x", name)
    assert state.software or state.vlans or state.neighbors is not None


def test_frr_is_there() -> None:
    assert "frr" in registry.names()


@pytest.mark.parametrize("name", ["", "..", "registry", "frr.render", "nonesuch", "../model"])
def test_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="is none of: .*frr"):
        registry.platform(name)


def test_near_miss_is_named() -> None:
    with pytest.raises(InputError, match="did you mean 'frr'"):
        registry.platform("fr")
