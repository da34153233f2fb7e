# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What several controllers append to in a store: each place is one's only. Every kind of store, the same tests."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import InputError, StoreError, TakenError
from ansible_collections.stretchnet.fabric.plugins.module_utils.stores.git import GitStore
from ansible_collections.stretchnet.fabric.plugins.module_utils.stores.registry import Store, open_store
from ansible_collections.stretchnet.fabric.plugins.module_utils.stores.s3 import S3Store
from ansible_collections.stretchnet.fabric.plugins.module_utils.stores.sequence import Sequence, seal, unseal
from ansible_collections.stretchnet.fabric.plugins.module_utils.stores.vault import VaultCipher

boto3 = pytest.importorskip("boto3")

KINDS = ["directory", "git", "git remote", "s3"]


@pytest.fixture
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    """Return what opens the same store once more, as another controller would."""
    kind, count = request.param, iter(range(100))
    if kind == "s3":
        endpoint, bucket = request.getfixturevalue("endpoint"), f"b{abs(hash(request.node.name))}"
        boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket=bucket)
        url = f"s3://{bucket}/lab?endpoint={endpoint}&tls=off&addressing=path"
    elif kind == "git remote":
        subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "remote.git")], check=True)
        url = f"git+file://{tmp_path}/remote.git"
    else:
        url = f"{'git://' if kind == 'git' else ''}{tmp_path}/store"
    return lambda: open_store(url, tmp_path / f"controller{next(count)}")


def every_kind(test: Any) -> Any:
    return pytest.mark.parametrize("stores", KINDS, indirect=True)(test)


@every_kind
def test_texts_come_back_in_order_to_another_controller(stores: Callable[[], Store]) -> None:
    mine = stores().sequence("CHG..1.lock/journal")
    theirs = stores().sequence("CHG..1.lock/journal")
    assert mine.numbers() == []
    for number in (1, 2, 3):
        mine.append(number, f'{{"n": {number}, "t": "é\\\\n"}}\n')
    assert theirs.numbers() == [1, 2, 3] and theirs.get(2) == mine.get(2) == '{"n": 2, "t": "é\\\\n"}\n'
    assert stores().sequence("CHG2/journal").numbers() == []
    with pytest.raises(StoreError):
        theirs.get(4)


@every_kind
def test_a_place_is_taken_once(stores: Callable[[], Store]) -> None:
    mine, theirs = stores().sequence("locks/fab"), stores().sequence("locks/fab")
    mine.append(1, "mine\n")
    with pytest.raises(TakenError, match="another controller"):
        theirs.append(1, "theirs\n")
    assert theirs.numbers() == [1] and theirs.get(1) == "mine\n"
    theirs.append(2, "theirs\n")
    with pytest.raises(TakenError):
        mine.append(2, "mine\n")


@every_kind
def test_of_many_at_once_one_has_the_place(stores: Callable[[], Store]) -> None:
    sequences: list[Sequence] = [stores().sequence("locks/fab") for _unused in range(6)]

    def try_it(number: int) -> bool:
        try:
            sequences[number].append(1, f"{number}\n")
        except TakenError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        won = [n for n, first in enumerate(pool.map(try_it, range(6))) if first]
    assert len(won) == 1 and stores().sequence("locks/fab").get(1) == f"{won[0]}\n"


@every_kind
def test_what_was_trimmed_does_not_come_back_as_free(stores: Callable[[], Store]) -> None:
    mine = stores().sequence("locks/fab")
    for number in (1, 2, 3):
        mine.append(number, f"{number}\n")
    mine.trim(3)
    theirs = stores().sequence("locks/fab")
    assert theirs.numbers()[-1] == 3 and theirs.get(3) == "3\n"
    with pytest.raises(TakenError):
        theirs.append(3, "again\n")


@every_kind
def test_a_point_takes_its_journal_along_when_it_is_removed(stores: Callable[[], Store]) -> None:
    opened = stores()
    opened.sequence("CHG1/journal").append(1, "x\n")
    opened.sequence("CHG2/journal").append(1, "y\n")
    opened.remove("CHG1")
    assert stores().sequence("CHG1/journal").numbers() == [] and stores().sequence("CHG2/journal").numbers() == [1]
    assert opened.list() == ()


@every_kind
def test_a_name_cannot_leave_the_store(stores: Callable[[], Store]) -> None:
    for name in ("../x", "a/../b", "/etc", "a b/journal"):
        with pytest.raises(InputError):
            stores().sequence(name)


@pytest.mark.parametrize("stores", ["s3"], indirect=True)
def test_an_object_store_without_conditional_writes_keeps_no_lock(
    stores: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = stores()
    assert isinstance(opened, S3Store)
    whole = opened._ask

    def ignorant(call: str, where: str, **arguments: Any) -> Any:
        arguments.pop("IfNoneMatch", None)
        return whole(call, where, **arguments)

    monkeypatch.setattr(opened, "_ask", ignorant)
    with pytest.raises(StoreError, match="knows no conditional writes"):
        opened.sequence("locks/fab").append(1, "x\n")


@pytest.mark.parametrize("stores", ["s3"], indirect=True)
def test_an_object_whose_first_answer_was_lost_is_ours(
    stores: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = stores()
    assert isinstance(opened, S3Store)
    whole, sent = opened._ask, []

    def twice(call: str, where: str, **arguments: Any) -> Any:
        if call == "put_object" and not sent:
            sent.append(whole(call, where, **arguments))
        return whole(call, where, **arguments)

    monkeypatch.setattr(opened, "_ask", twice)
    opened.sequence("locks/fab").append(1, "x\n")
    assert opened.sequence("locks/fab").get(1) == "x\n"


@pytest.mark.parametrize("stores", ["git remote"], indirect=True)
def test_a_push_whose_answer_was_lost_is_ours(stores: Callable[[], Store], monkeypatch: pytest.MonkeyPatch) -> None:
    opened = stores()
    assert isinstance(opened, GitStore)
    whole = opened.git

    def lost(*arguments: str, **more: Any) -> str:
        said = whole(*arguments, **more)
        if arguments[0] == "push":
            raise StoreError("the connection was closed")
        return said

    monkeypatch.setattr(opened, "git", lost)
    mine = opened.sequence("locks/fab")
    mine.append(1, "x\n")
    assert mine.numbers() == stores().sequence("locks/fab").numbers() == [1]


@pytest.mark.parametrize("stores", ["git remote"], indirect=True)
def test_a_remote_that_is_gone_is_no_place_that_is_taken(stores: Callable[[], Store], tmp_path: Path) -> None:
    mine = stores().sequence("locks/fab")
    mine.append(1, "x\n")
    (tmp_path / "remote.git").rename(tmp_path / "elsewhere.git")
    with pytest.raises(StoreError) as failed:
        mine.append(2, "y\n")
    assert not isinstance(failed.value, TakenError)


def test_a_text_is_sealed_on_one_line() -> None:
    cipher = VaultCipher("pass", "prod")
    sealed = seal("a\nb", cipher)
    assert sealed.count("\n") == 1 and "a" not in unseal(seal("x", None), "here", None)
    assert unseal(sealed, "here", cipher) == "a\nb"
    with pytest.raises(StoreError, match="is sealed"):
        unseal(sealed, "here", None)
    for damaged in ("", "{}", "[]", sealed[:-9]):
        with pytest.raises(StoreError):
            unseal(damaged, "here", cipher)
