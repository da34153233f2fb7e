# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Points survive, are private, are whole or refused, and never hold a secret in the clear."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError, StoreError
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.plan import config_digest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.points import DevicePoint, RollbackPoint
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import DeviceState
from ansible_collections.stretchnet.fabric.plugins.module_utils.stores.directory import DirectoryStore
from ansible_collections.stretchnet.fabric.plugins.module_utils.stores.git import GitStore
from ansible_collections.stretchnet.fabric.plugins.module_utils.stores.registry import open_store
from ansible_collections.stretchnet.fabric.plugins.module_utils.stores.secrets import lines_with_secrets
from ansible_collections.stretchnet.fabric.plugins.module_utils.stores.vault import VaultCipher
from hypothesis import given, settings
from hypothesis import strategies as st

SECRET = "hostname leaf1\nneighbor 10.0.0.1 password hunter2\n"


def point(change_id: str = "CHG1", running: str = "hostname leaf1\n") -> RollbackPoint:
    device = DevicePoint("leaf1", "frr", running, config_digest(running), DeviceState("leaf1", "frr"), "no vlan 1")
    return RollbackPoint(change_id, "fab", "2026-01-01T00:00:00Z", "me", "0" * 64, (device,))


@pytest.fixture(params=["directory", "git", "git with a remote"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> DirectoryStore | GitStore:
    if request.param == "directory":
        return open_store(str(tmp_path / "points"), tmp_path)
    if request.param == "git":
        return open_store(f"git://{tmp_path}/points", tmp_path)
    return open_store(f"git+file://{bare(tmp_path)}", tmp_path / "work")


def bare(tmp_path: Path) -> Path:
    remote = tmp_path / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(remote)], check=True)
    return remote


def test_a_point_comes_back_as_it_was(store: DirectoryStore | GitStore) -> None:
    assert store.list() == ()
    location = store.save(point())
    store.save(point("CHG2"))
    store.save(point())
    assert location and store.list() == ("CHG1", "CHG2")
    assert store.load("CHG1") == point()
    store.remove("CHG1")
    assert store.list() == ("CHG2",)
    with pytest.raises(StoreError, match="is not there"):
        store.load("CHG1")


def test_a_remote_outlives_the_machine(tmp_path: Path) -> None:
    url = f"git+file://{bare(tmp_path)}"
    open_store(url, tmp_path / "here").save(point())
    assert open_store(url, tmp_path / "there").load("CHG1") == point()
    log = subprocess.run(
        ["git", "-C", str(tmp_path / "remote.git"), "log", "--format=%s"], capture_output=True, text=True, check=False
    )
    assert log.stdout.splitlines() == ["Rollback point of CHG1 by me"]


def test_a_point_that_cannot_be_pushed_is_not_saved(tmp_path: Path) -> None:
    remote = bare(tmp_path)
    store = open_store(f"git+file://{remote}", tmp_path / "work")
    remote.rename(tmp_path / "gone")
    with pytest.raises(StoreError, match="git ls-remote failed"):
        store.save(point())


def test_files_are_private(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "points")
    location = Path(store.save(point()))
    assert location.stat().st_mode & 0o777 == 0o600
    assert location.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("change_id", ["../x", "", "a/b", ".hidden", "a\nb", "x" * 64])
def test_an_id_cannot_leave_the_store(tmp_path: Path, change_id: str) -> None:
    with pytest.raises(InputError):
        DirectoryStore(tmp_path).load(change_id)


@pytest.mark.parametrize(
    "damage",
    [
        lambda t: t[: len(t) // 2],
        lambda t: t.replace("leaf1", "leaf2"),
        lambda t: t.replace("no vlan 1", "no vlan 2"),
        lambda t: "[]",
        lambda t: json.dumps({**json.loads(t), "format": 9}),
        lambda t: json.dumps({**json.loads(t), "sealed": "no"}),
    ],
)
def test_a_damaged_point_is_refused(tmp_path: Path, damage) -> None:  # type: ignore[no-untyped-def]
    store = DirectoryStore(tmp_path)
    location = Path(store.save(point()))
    location.write_text(damage(location.read_text()))
    with pytest.raises(StoreError):
        store.load("CHG1")


def test_secrets_are_refused_without_a_vault_and_sealed_with_one(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"holds secrets \(lines 2\)") as refused:
        DirectoryStore(tmp_path).save(point(running=SECRET))
    assert "hunter2" not in str(refused.value) and DirectoryStore(tmp_path).list() == ()
    store = DirectoryStore(tmp_path, VaultCipher("pass", "prod"))
    location = store.save(point(running=SECRET))
    assert "hunter2" not in Path(location).read_text()
    assert store.load("CHG1").devices[0].running == SECRET
    with pytest.raises(StoreError, match="is sealed"):
        DirectoryStore(tmp_path).load("CHG1")
    with pytest.raises(StoreError, match="password is wrong"):
        DirectoryStore(tmp_path, VaultCipher("other")).load("CHG1")


@settings(max_examples=20, deadline=None)
@given(st.text(min_size=0, max_size=200), st.sampled_from(["default", "prod"]))
def test_ansible_reads_what_is_sealed_here_and_the_other_way_round(text: str, vault_id: str) -> None:
    vault = pytest.importorskip("ansible.parsing.vault")
    lib = vault.VaultLib([(vault_id, vault.VaultSecret(b"pass"))])
    cipher = VaultCipher("pass", vault_id)
    assert lib.decrypt(cipher.encrypt(text)).decode() == text
    assert cipher.decrypt(lib.encrypt(text, vault_id=vault_id).decode()) == text


@pytest.mark.parametrize(
    "line",
    [
        " neighbor 10.0.0.1 password hunter2",
        "enable password 8 x",
        "username admin secret sha512 $6$x",
        "snmp-server community public RO",
        '   authentication-key "$9$abc";',
        " ip ospf message-digest-key 1 md5 x",
        "tacacs-server key 7 0123",
        "radius-server host 10.0.0.1 key 7 abc",
        "  key-string abc",
        "set snmp community public authorization read-only",
        '   encrypted-password "$6$x"; ## SECRET-DATA',
        "password zebra",
        "  key 7 abcdef",
    ],
)
def test_a_line_with_a_secret_is_found(line: str) -> None:
    assert lines_with_secrets(line) == (1,)


@pytest.mark.parametrize(
    "line",
    [
        "service password-encryption",
        "bgp community-list 1 permit 65000:1",
        " set community 65000:1",
        "key chain X",
        " neighbor 10.0.0.1 send-community both",
        "! password is below",
        "interface swp1",
        "hostname secretariat",
    ],
)
def test_a_line_without_a_secret_is_left_alone(line: str) -> None:
    assert lines_with_secrets(line) == ()


@pytest.mark.parametrize("url", ["points", "ftp://bucket/x", "git+ext::sh", "http://x/y", "file://"])
def test_a_url_that_is_no_store_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(InputError):
        open_store(url, tmp_path)


@pytest.mark.parametrize("remote", ["--upload-pack=x", "ext::sh -c x", "a b"])
def test_a_remote_cannot_become_an_option(tmp_path: Path, remote: str) -> None:
    with pytest.raises(InputError):
        GitStore(tmp_path, remote)
