# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry finds every folder of platforms, and says which there are when asked for another."""

from __future__ import annotations

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError
from ansible_collections.stretchnet.fabric.plugins.module_utils.platforms import registry


@pytest.mark.parametrize("name", registry.names())
def test_every_folder_is_a_platform(name: str) -> None:
    found = registry.platform(name)
    assert found.name == name
    assert isinstance(found.can_arm, bool)
    for method in ("session", "render", "config_differences"):
        assert callable(getattr(found, method))


def test_frr_is_there() -> None:
    assert "frr" in registry.names()


@pytest.mark.parametrize("name", ["", "..", "registry", "frr.render", "nonesuch", "../model"])
def test_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="is none of: .*frr"):
        registry.platform(name)


def test_near_miss_is_named() -> None:
    with pytest.raises(InputError, match="did you mean 'frr'"):
        registry.platform("fr")
