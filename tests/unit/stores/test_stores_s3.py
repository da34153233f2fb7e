# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Points in a bucket of a real S3 server on loopback (moto's server mode)."""

from __future__ import annotations

import datetime
import http.server
import ipaddress
import ssl
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import (
    DependencyError,
    InputError,
    StoreError,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.plan import config_digest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.points import DevicePoint, RollbackPoint
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import DeviceState
from ansible_collections.stretchnet.fabric.plugins.module_utils.stores import s3
from ansible_collections.stretchnet.fabric.plugins.module_utils.stores.registry import open_store
from ansible_collections.stretchnet.fabric.plugins.module_utils.stores.s3 import S3Place, S3Store
from ansible_collections.stretchnet.fabric.plugins.module_utils.stores.vault import VaultCipher

boto3 = pytest.importorskip("boto3")
pytest.importorskip("moto.server")

SECRET = "hostname leaf1\nneighbor 10.0.0.1 password hunter2\n"


def point(change_id: str = "CHG1", running: str = "hostname leaf1\n") -> RollbackPoint:
    device = DevicePoint("leaf1", "frr", running, config_digest(running), DeviceState("leaf1", "frr"), "no vlan 1")
    return RollbackPoint(change_id, "fab", "2026-01-01T00:00:00Z", "me", "0" * 64, (device,))


@pytest.fixture
def bucket(endpoint: str, request: pytest.FixtureRequest) -> str:
    name = f"b{abs(hash(request.node.name))}"
    boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket=name)
    return name


def store(bucket: str, endpoint: str, cipher: VaultCipher | None = None) -> S3Store:
    opened = open_store(f"s3://{bucket}/lab/points?endpoint={endpoint}&tls=off&addressing=path", "/none", cipher)
    assert isinstance(opened, S3Store)
    return opened


def test_a_point_comes_back_as_it_was_and_can_be_removed(bucket: str, endpoint: str) -> None:
    opened = store(bucket, endpoint)
    assert opened.list() == ()
    assert opened.save(point()) == f"s3://{bucket}/lab/points/CHG1/point.json"
    opened.save(point("CHG2"))
    opened.save(point())
    assert opened.list() == ("CHG1", "CHG2")
    assert store(bucket, endpoint).load("CHG1") == point()
    opened.remove("CHG1")
    opened.remove("CHG1")
    assert opened.list() == ("CHG2",)
    with pytest.raises(StoreError, match="is not there"):
        opened.load("CHG1")


def test_the_list_goes_beyond_one_page_and_keeps_to_the_prefix(
    bucket: str, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = boto3.client("s3", endpoint_url=endpoint)
    names = [f"CHG{n:02d}" for n in range(12)]
    for name in names:
        client.put_object(Bucket=bucket, Key=f"lab/points/{name}/point.json", Body=b"x")
    for key in ("lab/points/notes.txt", "lab/other/CHG9/point.json", "lab/points/a/b/point.json"):
        client.put_object(Bucket=bucket, Key=key, Body=b"x")
    opened = store(bucket, endpoint)
    whole = opened._ask
    monkeypatch.setattr(opened, "_ask", lambda call, where, **kw: whole(call, where, MaxKeys=5, **kw))
    assert opened.list() == tuple(names)


def test_secrets_are_refused_without_a_vault_and_sealed_with_one(bucket: str, endpoint: str) -> None:
    with pytest.raises(StoreError, match="no vault to seal them"):
        store(bucket, endpoint).save(point(running=SECRET))
    sealed = store(bucket, endpoint, VaultCipher("pass", "prod"))
    sealed.save(point(running=SECRET))
    client = boto3.client("s3", endpoint_url=endpoint)
    raw = client.get_object(Bucket=bucket, Key="lab/points/CHG1/point.json")["Body"].read()
    assert b"hunter2" not in raw
    assert sealed.load("CHG1").devices[0].running == SECRET
    with pytest.raises(StoreError, match="is sealed"):
        store(bucket, endpoint).load("CHG1")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b'{"format": 1, "point": "x", "sha256": "0", "sealed": false}']
)
def test_an_object_that_is_not_whole_is_refused(bucket: str, endpoint: str, body: bytes) -> None:
    boto3.client("s3", endpoint_url=endpoint).put_object(Bucket=bucket, Key="lab/points/CHG1/point.json", Body=body)
    with pytest.raises(StoreError):
        store(bucket, endpoint).load("CHG1")


def test_a_store_that_loses_something_is_noticed(bucket: str, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = store(bucket, endpoint)
    monkeypatch.setattr(opened, "_read", lambda change_id: "{}")
    with pytest.raises(StoreError, match="does not read back"):
        opened.save(point())


def test_a_bucket_that_is_not_there_is_named_with_a_remedy(endpoint: str) -> None:
    with pytest.raises(StoreError, match="s3://nobucket/.*NoSuchBucket") as refused:
        store("nobucket", endpoint).save(point())
    assert "make the bucket" in (refused.value.remedy or "")


def test_no_credentials_and_nobody_there_are_told_apart(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setattr(s3, "_ATTEMPTS", 1)
    with pytest.raises(StoreError, match="EndpointConnectionError"):
        open_store("s3://b/p?endpoint=https://127.0.0.1:9", "/none").list()
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(StoreError, match="NoCredentialsError") as refused:
        store("b", endpoint).list()
    assert "AWS_ACCESS_KEY_ID" in (refused.value.remedy or "")


@pytest.mark.parametrize(
    "url",
    [
        "s3:///prefix",
        "s3://key:secret@bucket/prefix",
        "s3://bucket:80/prefix",
        "s3://bucket/p?endpoint=http://10.0.0.1",
        "s3://bucket/p?endpoint=https://u:hunter2@host",
        "s3://bucket/p?endpoint=ftp://host",
        "s3://bucket/p?verify=false",
        "s3://bucket/p?tls=on",
        "s3://bucket/p?region=a&region=b",
    ],
)
def test_a_url_that_is_unsafe_or_unclear_is_refused(url: str) -> None:
    with pytest.raises(InputError) as refused:
        S3Place.parse(url)
    assert "hunter2" not in str(refused.value) and "secret@" not in str(refused.value)


def test_the_parts_of_a_url_are_read() -> None:
    place = S3Place.parse(
        "s3://bucket/a//b/?endpoint=https://s3.example:9000&region=eu-1&ca=/etc/ca.pem&addressing=path"
    )
    assert place == S3Place("bucket", "a/b/", "https://s3.example:9000", "eu-1", "/etc/ca.pem", "path")
    assert S3Place.parse("s3://bucket").shown("CHG1") == "s3://bucket/CHG1/point.json"


@pytest.mark.parametrize("change_id", ["../x", "", "a/b", ".hidden", "a\nb", "x" * 64])
def test_an_id_cannot_leave_the_prefix(change_id: str) -> None:
    with pytest.raises(InputError):
        S3Place("bucket", "p/").key(change_id)


def test_a_missing_library_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(DependencyError, match=r"pip install 'boto3>=1.36'"):
        open_store("s3://bucket/p", "/none")


@pytest.fixture(scope="module")
def tls_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """An HTTPS server whose certificate nobody knows but who has its file."""
    file = certificate(tmp_path_factory.mktemp("tls"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_address[1]}", file
    server.shutdown()
    server.server_close()


def certificate(folder: Path) -> Path:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "store")])
    now = datetime.datetime.now(datetime.timezone.utc)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "store.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + built.public_bytes(serialization.Encoding.PEM))
    return file


def test_a_certificate_is_verified_unless_its_ca_is_known(
    tls_server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "_ATTEMPTS", 1)
    endpoint, ca = tls_server
    url = f"s3://bucket/p?endpoint={endpoint}&addressing=path"
    with pytest.raises(StoreError, match="SSLError") as refused:
        open_store(url, "/none").list()
    assert "ca=" in (refused.value.remedy or "")
    assert open_store(f"{url}&ca={ca}", "/none").list() == ()
