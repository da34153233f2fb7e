# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The execution environment installs what its locks name and nothing else: every package pinned, and each file by its hash."""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "extensions" / "execution-environment"
LOCKS = {"core.lock": FOLDER / "core.in", "requirements.lock": ROOT / "requirements.txt"}
_ENTRY = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>\S+)(?P<hashes>(?: \\\n    --hash=sha256:[0-9a-f]{64})+)")
_PYTHON = {"python_version": "3.11", "python_full_version": "3.11.0"}


def locked(name: str) -> dict[str, str]:
    """Return the version of each package of a lock; a line that is neither pinned nor hashed fails."""
    lines = [line for line in (FOLDER / name).read_text().splitlines() if line and not line.startswith("#")]
    entries = re.split(r"\n(?! )", "\n".join(lines))
    found = {entry: _ENTRY.fullmatch(entry) for entry in entries}
    assert [entry for entry, match in found.items() if not match] == []
    return {match["name"]: match["version"] for match in found.values() if match}


def asked(path: Path) -> list[Requirement]:
    return [Requirement(line) for line in path.read_text().splitlines() if line and not line.startswith("#")]


def needed(name: str, version: str) -> list[Requirement]:
    """Return what a package needs, where the release that is locked is the one installed here."""
    try:
        known = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return []
    needs = [Requirement(text) for text in known.requires or ()] if known.version == version else []
    return [need for need in needs if not need.marker or need.marker.evaluate({**_PYTHON, "extra": ""})]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_all_that_is_asked_for_and_what_that_needs(lock: str) -> None:
    pins = locked(lock)
    needs = asked(LOCKS[lock]) + [need for pin in pins.items() for need in needed(*pin)]
    assert len(needs) > len(asked(LOCKS[lock])), "no release of the lock is installed here: nothing was looked at"
    assert [str(need) for need in needs if canonicalize_name(need.name) not in pins] == []
    assert [str(need) for need in needs if pins[canonicalize_name(need.name)] not in need.specifier] == []


def test_both_locks_pin_what_they_share_alike() -> None:
    core, above = locked("core.lock"), locked("requirements.lock")
    assert {name: above[name] for name in core.keys() & above.keys()} == {
        n: core[n] for n in core.keys() & above.keys()
    }


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_registry_and_no_folder(lock: str) -> None:
    assert not re.search(r"/|index|find-links|trusted-host", (FOLDER / lock).read_text().replace("\\\n", ""))


def test_the_environment_installs_by_the_locks_alone() -> None:
    """Beside a line without a hash pip would refuse the lock; by a version alone ansible-core would come unverified."""
    definition = yaml.safe_load((FOLDER / "execution-environment.yml").read_text())
    wanted = definition["dependencies"]
    assert wanted["python"] == "requirements.lock" and not {"ansible_core", "ansible_runner"} & wanted.keys()
    assert wanted["exclude"]["all_from_collections"] == wanted["galaxy"]["collections"]
    assert definition["additional_build_files"] == [{"src": "core.lock", "dest": "locks"}]
    assert any(
        "--require-hashes -r /tmp/core.lock" in step for step in definition["additional_build_steps"]["append_base"]
    )
