# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which lines of a configuration hold a secret. Finds too many rather than too few."""

from __future__ import annotations

import re

#: One alternation of the words that stand before a secret in EOS, NX-OS, Junos, IOS, FRR and SONiC.
_SECRET = re.compile(
    r"""(?ix)
    ^(?!\s*(no\b|!|\#))            # neither a removal nor a comment
    .*\b(
        password | passwd | passphrase | secret | encrypted-password | authentication-key |
        key-string | pre-shared-key | private-key | message-digest-key | key-hash |
        snmp-server\s+(community|user|host) | (set\s+snmp|snmp)\s+community | (?:^\s*)community(?=\s+\S+\s+(ro|rw)\b) |
        (tacacs|radius)(-server)?\b.*\bkey | (?:auth|priv)\s+(md5|sha\S*|aes\S*|des)
    )\b(\s|=|:|")
    """
)
_KEY_LINE = re.compile(r"(?i)^\s*key\s+(?!chain\b)(?!\d+\s*$)\S+")
#: Words such as ``service password-encryption`` name a setting, not a secret.
_HARMLESS = re.compile(r"(?i)password[- ](encryption|policy|strength)|secret-?less")


def lines_with_secrets(text: str) -> tuple[int, ...]:
    """Return the numbers (from 1) of the lines that seem to hold a secret; never the lines themselves."""
    return tuple(n for n, line in enumerate(text.splitlines(), 1) if _holds_secret(line))


def _holds_secret(line: str) -> bool:
    if _HARMLESS.search(line):
        return False
    return bool(_SECRET.search(line) or _KEY_LINE.search(line))
