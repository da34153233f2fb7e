# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rollback points in S3-compatible object storage: ``<prefix>/<change_id>/point.json``, one object a point.

A PUT is whole or not at all (Amazon S3 User Guide, "Amazon S3 data consistency model"); what was put is read
back and compared before save() returns. Credentials come from boto3's own chain (environment, shared
files, role of the instance), which is what the injectors of AWX fill; never from the URL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ..model.errors import DependencyError, InputError, StoreError, TakenError
from ..model.points import RollbackPoint
from .document import checked_id, dump, parse
from .sequence import taken
from .vault import Cipher

_CONNECT_S, _READ_S, _ATTEMPTS = 10, 60, 4
_OPTIONS = frozenset({"endpoint", "region", "ca", "addressing", "tls"})
_MISSING = frozenset({"NoSuchKey", "404", "NotFound"})
#: How a conditional PUT is refused (Amazon S3 User Guide, "How to prevent object overwrites with conditional writes").
_TAKEN = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "409"})
_REMEDIES = {
    "NoSuchBucket": "make the bucket, with versioning if old points shall be kept",
    "AccessDenied": "give the credentials the rights to get, put, list and delete below the prefix",
    "403": "give the credentials the rights to get, put, list and delete below the prefix",
    "InvalidAccessKeyId": "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "SignatureDoesNotMatch": "check AWS_SECRET_ACCESS_KEY and the region",
}


@dataclass(frozen=True)
class S3Place:
    """What the URL says. ``ca``: a file of CA certificates; ``endpoint``: None is Amazon's own."""

    bucket: str
    prefix: str
    endpoint: str | None = None
    region: str | None = None
    ca: str | None = None
    addressing: str = "auto"

    @classmethod
    def parse(cls, url: str) -> S3Place:
        """Read ``s3://bucket/prefix?endpoint=https://host:port&region=…&ca=/file&addressing=path``.

        Plain ``http`` is refused unless ``tls=off`` says so. InputError: what is wrong; it never repeats a password.
        """
        parts = urlsplit(url)
        if not parts.hostname or "@" in parts.netloc or ":" in parts.netloc:
            raise InputError(
                "store",
                "an S3 URL is s3://bucket/prefix without user or password",
                remedy="give the credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            )
        options = _options(parts.query)
        return cls(
            parts.netloc,
            "".join(f"{part}/" for part in parts.path.split("/") if part),
            _endpoint(options),
            options.get("region"),
            options.get("ca"),
            options.get("addressing", "auto"),
        )

    def key(self, change_id: str) -> str:
        """Return the name of a point's object."""
        return f"{self.prefix}{checked_id(change_id)}/point.json"

    def shown(self, change_id: str = "") -> str:
        """Return the place as a person reads it."""
        return f"s3://{self.bucket}/{self.key(change_id) if change_id else self.prefix}"


def _options(query: str) -> dict[str, str]:
    found = parse_qs(query, keep_blank_values=True)
    for name, values in found.items():
        if name not in _OPTIONS or len(values) != 1 or not values[0]:
            raise InputError("store", f"{name!r} is no option of an S3 URL, or is there twice or empty; known: "
                             f"{', '.join(sorted(_OPTIONS))}")  # fmt: skip
    options = {name: values[0] for name, values in found.items()}
    for name, allowed in (("tls", ("off",)), ("addressing", ("auto", "path", "virtual"))):
        if name in options and options[name] not in allowed:
            raise InputError("store", f"{name} can be {' or '.join(allowed)}")
    return options


def _endpoint(options: dict[str, str]) -> str | None:
    endpoint = options.get("endpoint")
    if endpoint is None:
        return None
    parts = urlsplit(endpoint)
    if parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc:
        raise InputError("store", "the endpoint is no https://host[:port], or holds credentials")
    if parts.scheme == "http" and options.get("tls") != "off":
        raise InputError("store", "the endpoint is not encrypted", remedy="use https, or say tls=off in the URL")
    return endpoint


class S3Store:
    """ports.PointStore in a bucket."""

    def __init__(self, place: S3Place, cipher: Cipher | None = None) -> None:
        """Make a client; nothing is asked yet. DependencyError: no boto3. StoreError: unusable CA file or region."""
        self.place = place
        self.cipher = cipher
        self._boto, self._client = _connect(place)
        self._refuses_second: bool | None = None

    def save(self, point: RollbackPoint) -> str:
        """Put the point, read it back and compare; return its location. StoreError: it is not there as it was given."""
        where, text = self.place.shown(point.change_id), dump(point, self.cipher)
        key = self.place.key(point.change_id)
        self._ask("put_object", where, Key=key, Body=text.encode(), ContentType="application/json")
        if self._read(point.change_id) != text:
            raise StoreError(f"{where} does not read back as it was written", remedy="use another store")
        return where

    def load(self, change_id: str) -> RollbackPoint:
        """Read a point back and verify it; StoreError if it is missing or not whole."""
        return parse(self._read(change_id), self.place.shown(change_id), self.cipher)

    def list(self) -> tuple[str, ...]:
        """Return the change ids that have a point, sorted."""
        names = (key.removeprefix(self.place.prefix).split("/") for key in self.keys(self.place.prefix))
        return tuple(sorted({name[0] for name in names if len(name) == 2 and name[1] == "point.json"}))

    def remove(self, change_id: str) -> None:
        """Remove a point and the journal of its change; removing what is not there is fine.

        A bucket with versioning keeps the old versions.
        """
        journal = self.sequence(f"{checked_id(change_id)}/journal")
        for key in (*map(journal.key, journal.numbers()), self.place.key(change_id)):
            self.delete(key)

    def sequence(self, name: str) -> S3Sequence:
        """Return the sequence of that name, such as ``locks/<fabric>`` or ``<change_id>/journal``."""
        return S3Sequence(self, "/".join(map(checked_id, name.split("/"))))

    def keys(self, prefix: str) -> tuple[str, ...]:
        """Return the names of all objects below a prefix."""
        found: tuple[str, ...] = ()
        token: dict[str, str] = {}
        while True:
            page = self._ask("list_objects_v2", f"s3://{self.place.bucket}/{prefix}", Prefix=prefix, **token)
            found += tuple(entry["Key"] for entry in page.get("Contents", ()))
            if not page.get("IsTruncated"):
                return found
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def delete(self, key: str) -> None:
        """Remove an object; removing what is not there is fine."""
        self._ask("delete_object", f"s3://{self.place.bucket}/{key}", Key=key)

    def create(self, key: str, text: str) -> None:
        """Put an object that must not be there yet. TakenError: it is."""
        where = f"s3://{self.place.bucket}/{key}"
        new = {"Key": key, "Body": text.encode(), "ContentType": "application/json", "IfNoneMatch": "*"}
        try:
            self._ask("put_object", where, **new)
        except TakenError:
            if self.read(key) != text:  # else boto3 has sent it twice, as the first answer was lost
                raise
        if self._refuses_second is None:
            self._try_second(where, new)

    def _try_second(self, where: str, new: dict[str, Any]) -> None:
        """Make sure that the store refuses a second object of the name: one that does not could not keep a lock."""
        try:
            self._ask("put_object", where, **new)
        except TakenError:
            self._refuses_second = True
            return
        raise StoreError(
            f"{where}: the store knows no conditional writes (If-None-Match), so no lock can be kept in it",
            remedy="take a newer release of the store, or another one",
        )

    def read(self, key: str) -> str:
        """Return the text of an object; StoreError: it is not there, or not whole."""
        where = f"s3://{self.place.bucket}/{key}"
        body = self._ask("get_object", where, Key=key)["Body"]
        unreadable: tuple[type[Exception], ...] = (*self._boto, OSError, UnicodeDecodeError)
        try:
            return str(body.read().decode("utf-8"))
        except unreadable as exc:
            raise StoreError(f"{where} cannot be read whole: {type(exc).__name__}", remedy="try again") from exc

    def _read(self, change_id: str) -> str:
        return self.read(self.place.key(change_id))

    def _ask(self, call: str, where: str, **arguments: Any) -> Any:
        """Make one call; StoreError says what the store answered. boto3 tries again by itself."""
        try:
            return getattr(self._client, call)(Bucket=self.place.bucket, **arguments)
        except self._boto as exc:
            raise _said(exc, where, call) from exc


class S3Sequence:
    """One object a text; the store itself refuses a second one of the name (``If-None-Match: *``)."""

    def __init__(self, store: S3Store, name: str) -> None:
        self._store, self._prefix = store, f"{store.place.prefix}{name}/"

    def key(self, number: int) -> str:
        """Return the name of a text's object."""
        return f"{self._prefix}{number:08d}.json"

    def numbers(self) -> list[int]:
        """Return the numbers that are there now, in order."""
        names = (key.removeprefix(self._prefix).removesuffix(".json") for key in self._store.keys(self._prefix))
        return sorted(int(name) for name in names if name.isdecimal())

    def get(self, number: int) -> str:
        """Return one text; StoreError: it is not there, or cannot be read."""
        return self._store.read(self.key(number))

    def append(self, number: int, text: str) -> None:
        """Write the text at a new number, durably. TakenError: somebody else has written there."""
        self._store.create(self.key(number), text)

    def trim(self, before: int) -> None:
        """Forget the numbers below ``before``."""
        for number in self.numbers():
            if number < before:
                self._store.delete(self.key(number))


def _said(exc: Exception, where: str, call: str) -> StoreError:
    """Return what went wrong, without anything that a library may have put into its message."""
    code = str(getattr(exc, "response", {}).get("Error", {}).get("Code", ""))
    if code in _TAKEN:
        return taken(where)
    if code in _MISSING:
        return StoreError(f"{where} is not there", remedy="check the change id and the store's URL")
    if code:
        return StoreError(
            f"{where}: {call} was answered by {code}", remedy=_REMEDIES.get(code, "ask who runs the store")
        )
    remedies = {
        "NoCredentialsError": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (AWX: a credential that injects them)",
        "SSLError": "name the file of the CA that signed the store's certificate: …?ca=/etc/ssl/ca.pem",
    }
    name = type(exc).__name__
    remedy = remedies.get(name, "check the endpoint and the way to it; then run again")
    return StoreError(f"{where} cannot be asked ({call}): {name}", remedy=remedy)


def _connect(place: S3Place) -> tuple[tuple[type[Exception], ...], Any]:
    """Return boto3's base exceptions and a client."""
    try:
        import boto3
        from boto3.exceptions import Boto3Error
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError as exc:
        raise DependencyError("an S3 store needs the Python package boto3", remedy="pip install 'boto3>=1.36'") from exc
    errors: tuple[type[Exception], ...] = (BotoCoreError, ClientError, Boto3Error)
    unusable: tuple[type[Exception], ...] = (*errors, ValueError)
    try:
        client = boto3.session.Session().client(
            "s3",
            endpoint_url=place.endpoint,
            region_name=place.region,
            verify=place.ca or True,
            config=Config(
                connect_timeout=_CONNECT_S,
                read_timeout=_READ_S,
                retries={"max_attempts": _ATTEMPTS, "mode": "standard"},
                s3={"addressing_style": place.addressing},
                # Stores other than Amazon's refuse checksums in trailers, which are the default since 1.36.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
    except TypeError as exc:
        raise DependencyError("boto3 is too old for an S3 store", remedy="pip install 'boto3>=1.36'") from exc
    except unusable as exc:
        raise StoreError(f"{place.shown()} cannot be used: {exc}", remedy="check region and endpoint") from exc
    return errors, client
