# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mask what looks like a secret in configuration text, diffs and messages of every supported NOS.

The text keeps its lines and everything that is no secret, so that a diff stays a diff. The rules err
on the side of masking: a word that only might be a secret is masked.
"""

from __future__ import annotations

import dataclasses
import enum
import re
import typing

MASK = "<redacted>"

#: A value: a quoted string or one word.
_VALUE = r"(?:\"[^\"]*\"|'[^']*'|[^\s\"',;]+)"
#: A type digit or algorithm in front of a value: ``secret 5 HASH``, ``password sha512 HASH``.
_TYPE = (
    r"(?:\d{1,2}\s+|(?:md5|sha1?|sha-?\d{3}|aes(?:-?\d{3})?|des|3des|8a|cleartext|encrypted|plaintext|hidden"
    r"|ascii-text|hexadecimal)\s+)*"
)
#: The begin of a configuration line, also of a removed, added or negated one; opens the kept group.
_START = r"^([ +-]*(?:no\s+)?"

_RULES: tuple[re.Pattern[str], ...] = tuple(
    re.compile(rule, re.IGNORECASE)
    for rule in (
        # crypt(3) hashes, Cisco type 8/9 and Junos $9$ in any place.
        r"()(\$(?:1|2[abxy]?|5|6|7|8|9|y|gy|sha1)\$[^\s\"';,]+)",
        # user:password@ in a URL.
        r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]+:)([^\s/@]+)(?=@)",
        r"(\bauthorization\s*[:=]\s*(?:bearer|basic|token)\s+)(" + _VALUE + ")",
        # JSON, YAML, INI and environment: password: x, "passkey": "x", API_TOKEN=x.
        r"([\"']?\b[\w.-]*(?:pass(?:word|wd|phrase|key)|secret|token|api[_-]?key|auth[_-]?key|private[_-]?key|psk)[\"']?"
        r"\s*[:=]\s*)(" + _VALUE + ")",
        # Users and enable secrets: IOS, NX-OS, EOS, FRR, SONiC CLI.
        _START + r"(?:username|user|enable)\b.*?\b(?:password|secret)\s+(?:level\s+\d+\s+)?" + _TYPE + ")"
        r"(" + _VALUE + ")",
        _START + r"(?:password|passwd|passphrase|secret|passkey)\s+" + _TYPE + ")(" + _VALUE + ")",
        # BGP, OSPF, IS-IS, VRRP, HSRP, LDP.
        _START + r"(?:neighbor|peer|isis|area|domain|mpls|ppp|ip|ipv6|standby|vrrp|snmp|set|delete|config|sudo)"
        r"\b.*?\b(?:password|passkey|authentication-key|pre-shared-key|key-string|message-digest-key\s+\d+\s+\S+"
        r"|md5\s+key-string|authentication\s+(?:text|md5)(?!\s+key-(?:string|chain)))\s+" + _TYPE + ")(" + _VALUE + ")",
        _START + r"key-string\s+" + _TYPE + ")(" + _VALUE + ")",
        _START + r"(?:ntp\s+)?authentication-key\s+(?:\d+\s+)?" + _TYPE + ")(" + _VALUE + ")",
        _START + r"crypto\s+isakmp\s+key\s+" + _TYPE + ")(" + _VALUE + ")",
        _START + r"key\s+config-key\s+\S+\s+)(" + _VALUE + ")",
        # TACACS+, RADIUS: global, per server, and the bare ``key`` line of a server block (``key 3``: a chain).
        _START
        + r"(?:ip\s+)?(?:tacacs|radius|tacacs-server|radius-server|server-private|server|aaa)\b.*?\bkey\s+"
        + _TYPE
        + ")("
        + _VALUE
        + ")",
        _START + r"key\s+(?!chain\b|config-key\b|\d+\s*\{?\s*$)" + _TYPE + ")(" + _VALUE + ")",
        # SNMP: communities, trap hosts, v3 users.
        _START + r"(?:(?:sudo\s+)?config\s+)?snmp(?:-server)?\s+community\s+(?:add\s+|del\s+)?" + _TYPE + ")"
        r"(" + _VALUE + ")",
        r"^([ +-]*(?:set|delete)\s+snmp\s+(?:.*\s)?community\s+)(" + _VALUE + ")",
        _START + r"snmp-server\s+host\s+\S+\s+(?:(?:vrf|use-vrf)\s+\S+\s+)?(?:traps?\s+|informs?\s+)?"
        r"(?:version\s+(?:1|2c)\s+))(" + _VALUE + ")",
        r"(\bauth(?:entication)?\s+(?:md5|sha\S*)\s+(?:key-string\s+)?(?!key-chain\b)(?:\d\s+)?)(" + _VALUE + ")",
        _START + r"snmp-server\s+user\s.*?\bpriv\s+(?:(?:aes|des|3des)\S*\s+(?:\d{3}\s+)?)?)(" + _VALUE + ")",
        # Junos: the word and its value, with or without ``set``.
        r"(\b(?:encrypted-password|plain-text-password|authentication-password|privacy-password|simple-password"
        r"|authentication-key|pre-shared-key\s+(?:ascii-text|hexadecimal))\s+)(" + _VALUE + ")",
        r"^([ +-]*(?:(?:set|delete)\s+.*\s)?(?:secret|shared-secret)\s+)(" + _VALUE + ")",
        r"(\bkey\s+\d+\s+(?:secret|key)\s+)(" + _VALUE + ")",
    )
)

#: No rule can match a text without one of these; most strings of a run are judged by this alone.
_HINT = re.compile(r"pass|secret|token|key|psk|snmp|community|auth|priv|://|\$", re.IGNORECASE)
_PEM_BEGIN = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_PEM_END = re.compile(r"-----END [A-Z ]*PRIVATE KEY-----")
_JUNOS_EDIT = re.compile(r"^[ +-]*\[edit(?P<path>[^\]]*)\]")
_BLOCK = re.compile(r"^[ +-]*\"?(?P<name>snmp|SNMP_COMMUNITY)\"?\s*:?\s*\{")
_SNMP_COMMUNITY = re.compile(r"^([ +-]*community\s+)(?!<redacted>)(\"[^\"]*\"|[^\s;{]+)")
_SONIC_COMMUNITY = re.compile(r"^([ +-]*\")(?!<redacted>|TYPE\b)([^\"]+)(?=\"\s*:\s*\{)")

T = typing.TypeVar("T")


def redact(text: str) -> str:
    """Return ``text`` with every value that looks like a secret replaced by ``<redacted>``.

    Works line by line and keeps the number of lines. Knows the forms of EOS, NX-OS, IOS, Junos (curly
    and set form), FRR and SONiC (CLI and config_db.json), crypt(3) hashes, PEM private keys, passwords
    in URLs, and ``name: value`` or ``name=value`` with a telling name. Redacting twice changes nothing.
    """
    if not _HINT.search(text):
        return text
    lines = []
    in_key = False
    snmp = _SnmpBlock()
    for line in text.split("\n"):
        if in_key or _PEM_BEGIN.search(line):
            in_key = not _PEM_END.search(line)
            lines.append(_mask_pem(line))
            continue
        lines.append(snmp.mask(_mask_line(line)))
    return "\n".join(lines)


def redact_all(value: T) -> T:
    """Return a copy of a model value (dataclass, tuple, list, dict, string) with every string redacted."""
    return typing.cast(T, _walk(value))


def _walk(value: typing.Any) -> typing.Any:
    if isinstance(value, str) and not isinstance(value, enum.Enum):
        return redact(value)
    if isinstance(value, (tuple, list, frozenset)):
        return type(value)(_walk(item) for item in value)
    if isinstance(value, dict):
        return {key: _walk(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _walk_dataclass(value)
    return value


def _walk_dataclass(value: typing.Any) -> typing.Any:
    """Copy only where something was masked: a run holds tens of thousands of probes."""
    changed = {}
    for field in dataclasses.fields(value):
        old = getattr(value, field.name)
        if isinstance(old, (int, float, type(None))):
            continue
        new = _walk(old)
        if new != old:
            changed[field.name] = new
    return dataclasses.replace(value, **changed) if changed else value


def _mask_line(line: str) -> str:
    for rule in _RULES:
        line = rule.sub(lambda match: match.group(1) + _masked(match.group(2)), line)
    return line


def _masked(value: str) -> str:
    """Keep the quotes, so that JSON and Junos text stay well-formed; what is masked already stays so."""
    if MASK in value:
        return value
    quote = value[:1] if value[:1] in "\"'" and value[-1:] == value[:1] else ""
    return f"{quote}{MASK}{quote}"


def _mask_pem(line: str) -> str:
    if _PEM_BEGIN.search(line) or _PEM_END.search(line):
        return line
    return re.sub(r"^([ +-]?\s*).*$", rf"\1{MASK}", line)


class _SnmpBlock:
    """Knows whether a line stands in a block of SNMP communities.

    ``community NAME`` is a secret in Junos' snmp and none in policy-options; the same goes for the
    keys of config_db.json's SNMP_COMMUNITY table.
    """

    def __init__(self) -> None:
        self._edit = False
        self._depth = 0
        self._table = False

    def mask(self, line: str) -> str:
        edit = _JUNOS_EDIT.match(line)
        if edit:
            self._edit = edit.group("path").split()[:1] == ["snmp"]
            return line
        block = None if self._depth else _BLOCK.match(line)
        if block:
            self._table = block.group("name") == "SNMP_COMMUNITY"
        elif self._depth or self._edit:
            line = self._mask_community(line)
        if block or self._depth:
            self._depth = max(0, self._depth + line.count("{") - line.count("}"))
        return line

    def _mask_community(self, line: str) -> str:
        pattern = _SONIC_COMMUNITY if self._table and self._depth else _SNMP_COMMUNITY
        return pattern.sub(rf"\1{MASK}", line)
