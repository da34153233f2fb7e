# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.redact import MASK, redact, redact_all
from hypothesis import given
from hypothesis import strategies as st

# Every line holds a secret marked S3CRET (or a hash); the rest of the line must survive.
SECRETS = {
    "eos user": "username admin privilege 15 role network-admin secret sha512 $6$abc$S3CRETxyz/.",
    "eos bgp": "   neighbor 10.0.0.1 password 7 S3CRET==",
    "eos tacacs": "tacacs-server host 10.1.1.1 vrf MGMT key 7 S3CRET",
    "eos snmp": "snmp-server community S3CRET ro",
    "eos snmp host": "snmp-server host 10.1.1.1 version 2c S3CRET",
    "eos snmp v3": "snmp-server user u g v3 localized f5717f auth sha S3CRETA priv aes S3CRETB",
    "eos ospf": "   ip ospf message-digest-key 1 md5 7 S3CRET",
    "eos ntp": "ntp authentication-key 1 md5 7 S3CRET",
    "eos enable": "enable password sha512 $6$S3CRET",
    "nxos user": "username admin password 5 $5$S3CRET.x  role network-admin",
    "nxos snmp": "snmp-server community S3CRET group network-operator",
    "nxos snmp v3": "snmp-server user admin network-admin auth md5 0xS3CRET priv 0xS3CRETB localizedkey",
    "nxos key": "    key-string 7 S3CRET",
    "nxos radius": 'radius-server host 10.1.1.1 key 7 "S3CRET" authentication accounting',
    "nxos bgp": "    password 3 S3CRET",
    "nxos hsrp": "    authentication md5 key-string S3CRET",
    "ios enable": "enable secret 9 $9$S3CRET",
    "ios enable level": "enable secret level 7 5 $1$S3CRET",
    "ios line": " password 7 S3CRET",
    "ios server key": " key 7 S3CRET",
    "ios server key clear": " key S3CRET",
    "ios isakmp": "crypto isakmp key S3CRET address 10.0.0.1",
    "ios isis": " isis password S3CRET level-1",
    "ios standby": " standby 1 authentication md5 key-string 7 S3CRET",
    "ios removed in a diff": "-  neighbor 10.0.0.1 password S3CRET",
    "ios no form": "no snmp-server community S3CRET RO",
    "junos user": 'encrypted-password "$6$S3CRET"; ## SECRET-DATA',
    "junos set user": 'set system root-authentication encrypted-password "$6$S3CRET"',
    "junos set bgp": "set protocols bgp group FABRIC neighbor 10.0.0.1 authentication-key S3CRET",
    "junos bgp": '+    authentication-key "$9$S3CRET";',
    "junos set snmp": "set snmp community S3CRET authorization read-only",
    "junos set radius": 'set system radius-server 10.0.0.1 secret "$9$S3CRET"',
    "junos radius": '     secret "S3CRET";',
    "junos ike": "set security ike policy P pre-shared-key ascii-text S3CRET",
    "junos keychain": "set security authentication-key-chains key-chain K key 1 secret S3CRET",
    "frr password": "password S3CRET",
    "frr enable": "enable password S3CRET",
    "frr neighbor": " neighbor swp1 password S3CRET",
    "frr ospf": " ip ospf authentication-key S3CRET",
    "frr key chain": "  key-string S3CRET",
    "sonic json": '        "passkey": "S3CRET",',
    "sonic json auth": '"auth_password": "S3CRET"',
    "sonic cli": "sudo config tacacs passkey S3CRET",
    "sonic snmp": "sudo config snmp community add S3CRET RO",
    "sonic mgmt": "tacacs-server key S3CRET",
    "yaml": "ansible_password: S3CRET",
    "env": "NETBOX_TOKEN=S3CRET",
    "url": "https://admin:S3CRET@netbox.example.net/api",
    "header": "Authorization: Token S3CRET",
    "bcrypt": "hash is $2b$12$S3CRETabcdefg",
}


@pytest.mark.parametrize("line", SECRETS.values(), ids=SECRETS.keys())
def test_secret_is_masked_and_nothing_else(line: str) -> None:
    masked = redact(line)
    assert "S3CRET" not in masked
    assert MASK in masked
    assert masked.split()[0] == line.split()[0] or masked.split("=")[0] == line.split("=")[0] or "://" in line
    assert redact(masked) == masked


PLAIN = (
    "vlan 210",
    "   name app-prod",
    "router bgp 65011",
    "   neighbor LEAFS send-community extended",
    "ip community-list standard SITE-B permit 65000:20",
    " set community 65000:10 additive",
    "key chain FABRIC",
    "  key 1",
    "policy-options { community RT-210 members target:65000:10210; }",
    "set policy-options community RT-210 members target:65000:10210",
    "   community RT-210 members target:65000:10210;",
    "   route-target import evpn 65000:10210",
    "aaa authentication login default local",
    "ip address virtual 10.21.0.1/24",
    "service password-encryption",
    "The password of the device is wrong; set it in the vault.",
    "Gate 'stage leaves-a' failed: VTEP 10.255.0.21 is not in the flood list.",
    "mac-address-table static 5254.0012.3456 vlan 210 interface Ethernet1",
    " ip ospf authentication message-digest",
    "username admin nopassword",
    "snmp-server location rack 12",
    "snmp-server host 10.1.1.1 version 3 auth monitor",
)


@pytest.mark.parametrize("line", PLAIN)
def test_plain_lines_survive(line: str) -> None:
    assert redact(line) == line


def test_private_key_block_is_masked_whole() -> None:
    text = "before\n-----BEGIN RSA PRIVATE KEY-----\nMIIEpS3CRET\nS3CRET==\n-----END RSA PRIVATE KEY-----\nafter"
    masked = redact(text)
    assert "S3CRET" not in masked
    assert masked.splitlines()[0] == "before" and masked.splitlines()[-1] == "after"
    assert len(masked.splitlines()) == len(text.splitlines())


@pytest.mark.parametrize(
    "text",
    [
        "[edit snmp]\n+  community S3CRET {\n+      authorization read-only;\n+  }",
        "snmp {\n    community S3CRET {\n        authorization read-only;\n    }\n}\nsystem {\n}",
        '"SNMP_COMMUNITY": {\n    "S3CRET": {\n        "TYPE": "RO"\n    }\n},',
    ],
)
def test_snmp_community_blocks(text: str) -> None:
    masked = redact(text)
    assert "S3CRET" not in masked
    assert masked.replace(MASK, "S3CRET") == text


def test_policy_community_after_an_snmp_block_survives() -> None:
    text = "snmp {\n    location lab;\n}\npolicy-options {\n    community RT members target:1:2;\n}"
    assert redact(text) == text
    text = "[edit snmp]\n+ location x;\n[edit policy-options]\n+  community RT members target:1:2;"
    assert redact(text) == text


@given(st.text())
def test_redact_keeps_lines_and_is_stable(text: str) -> None:
    masked = redact(text)
    assert masked.count("\n") == text.count("\n")
    assert redact(masked) == masked


@dataclass(frozen=True)
class _Inner:
    text: str
    number: int = 3


@dataclass(frozen=True)
class _Outer:
    inner: tuple[_Inner, ...]
    by_name: dict[str, str]


def test_redact_all_walks_the_tree_and_shares_what_is_clean() -> None:
    clean = _Inner("vlan 210")
    outer = _Outer((clean, _Inner("password S3CRET")), {"x": "token: S3CRET"})
    masked = redact_all(outer)
    assert masked.inner[0] is clean
    assert masked.inner[1] == _Inner(f"password {MASK}")
    assert masked.by_name == {"x": f"token: {MASK}"}


@pytest.mark.truth
@pytest.mark.skipif("STRETCHNET_TRUTH" not in os.environ, reason="STRETCHNET_TRUTH names no folder of recorded outputs")
def test_recorded_outputs_are_masked_where_a_secret_stands_and_nowhere_else() -> None:
    telling = re.compile(r"(?i)\b(password|secret|passkey|key-string|auth md5)\b|\$\d\$|snmp-server community")
    for path in (p for p in Path(os.environ["STRETCHNET_TRUTH"]).rglob("*") if p.is_file()):
        text = path.read_text(encoding="utf-8", errors="replace")
        for before, after in zip(text.split("\n"), redact(text).split("\n"), strict=True):
            if before != after:
                assert telling.search(before), f"{path}: {before}"
            else:
                assert not re.search(r"(?i)\b(password|secret)\s+(\d|sha512)\s", before), f"{path}: {before}"
