# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible Vault's file format (1.1 and 1.2, AES256), without Ansible.

Layout: header ``$ANSIBLE_VAULT;1.2;AES256;<vault id>``, then in lines of 80 the hex of
``hex(salt) LF hex(hmac) LF hex(ciphertext)``. Keys by PBKDF2-HMAC-SHA256 (10000 rounds, 32-byte salt):
32 bytes AES-CTR key, 32 bytes HMAC key, 16 bytes counter; HMAC-SHA256 over the ciphertext; PKCS#7
padding. Source: Ansible's user guide, "Format of files encrypted with Ansible Vault".
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import os
from typing import Any, Protocol

from ..model.errors import DependencyError, StoreError

_ROUNDS = 10_000


class Cipher(Protocol):
    """Encrypts what is at rest."""

    def encrypt(self, text: str) -> str:
        """Return the text, encrypted."""

    def decrypt(self, envelope: str) -> str:
        """Return the text; StoreError: wrong secret or damaged."""


class VaultCipher:
    """Ansible Vault's AES256 under one vault id; ``ansible-vault view`` reads what it writes."""

    def __init__(self, secret: str | bytes, vault_id: str = "default") -> None:
        """Take the vault's password. StoreError: it is empty."""
        self._secret = secret.encode() if isinstance(secret, str) else secret
        if not self._secret.strip():
            raise StoreError("the vault password is empty", remedy="name a vault id with a password")
        self.vault_id = vault_id

    def __repr__(self) -> str:
        return f"VaultCipher(vault_id={self.vault_id!r})"

    def encrypt(self, text: str) -> str:
        """Return the vault file's text."""
        salt = os.urandom(32)
        key, hmac_key, counter = self._keys(salt)
        padding = 16 - len(text.encode()) % 16
        sealed = _aes_ctr(key, counter, text.encode() + bytes([padding]) * padding)
        mac = hmac.new(hmac_key, sealed, hashlib.sha256).hexdigest().encode()
        body = b"\n".join((binascii.hexlify(salt), mac, binascii.hexlify(sealed))).hex()
        version = "1.1;AES256" if self.vault_id == "default" else f"1.2;AES256;{self.vault_id}"
        lines = [body[i : i + 80] for i in range(0, len(body), 80)]
        return "\n".join((f"$ANSIBLE_VAULT;{version}", *lines)) + "\n"

    def decrypt(self, envelope: str) -> str:
        """Return the text of a vault file; StoreError: wrong password, damaged, or another cipher."""
        header, _unused, body = envelope.partition("\n")
        if not header.startswith("$ANSIBLE_VAULT;") or header.split(";")[2:3] != ["AES256"]:
            raise StoreError("is no vault file of cipher AES256")
        try:
            salt, mac, sealed = (binascii.unhexlify(part) for part in bytes.fromhex(body).split(b"\n"))
        except (ValueError, binascii.Error):
            raise StoreError("the vault file is damaged", remedy="take a copy of it") from None
        key, hmac_key, counter = self._keys(salt)
        if not hmac.compare_digest(hmac.new(hmac_key, sealed, hashlib.sha256).digest(), mac):
            raise StoreError("the vault password is wrong, or the file is damaged", remedy="check the vault id")
        padded = _aes_ctr(key, counter, sealed)
        return padded[: -padded[-1]].decode()

    def _keys(self, salt: bytes) -> tuple[bytes, bytes, bytes]:
        derived = hashlib.pbkdf2_hmac("sha256", self._secret, salt, _ROUNDS, 80)
        return derived[:32], derived[32:64], derived[64:]


def _aes_ctr(key: bytes, counter: bytes, data: bytes) -> bytes:
    """Encrypt or decrypt: the same in counter mode."""
    try:
        from cryptography.hazmat.primitives.ciphers import Cipher as Engine
        from cryptography.hazmat.primitives.ciphers import algorithms, modes
    except ImportError as exc:
        raise DependencyError(
            "encryption at rest needs the Python package cryptography", remedy="pip install 'cryptography>=41'"
        ) from exc
    engine: Any = Engine(algorithms.AES(key), modes.CTR(counter)).encryptor()
    return bytes(engine.update(data) + engine.finalize())
