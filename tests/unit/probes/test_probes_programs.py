# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that are copied to viewpoints: packets, filter, limits."""

from __future__ import annotations

import ast
import ipaddress
import struct
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes import icmp, tap
from hypothesis import given
from hypothesis import strategies as st

TOKEN = b"12345678"
PROGRAMS = [Path(module.__file__) for module in (icmp, tap)]


@given(st.binary(min_size=2, max_size=200))
def test_a_packet_with_its_checksum_sums_to_zero(data):
    data = data[: len(data) // 2 * 2]
    assert icmp.checksum(data + struct.pack("!H", icmp.checksum(data))) == 0


@given(st.integers(0, 2**40), st.sampled_from([4, 6]), st.booleans())
def test_a_reply_gives_its_whole_sequence_back(sequence, version, raw):
    request = icmp.echo_request(version, 77, sequence, TOKEN, 56)
    assert len(request) == 8 + 56
    reply = bytes([icmp.ECHO[version][1]]) + request[1:]
    header = bytes([0x45]) + bytes(19) if version == 4 and raw else b""
    assert icmp.reply_sequence(version, raw, TOKEN, header + reply) == sequence
    assert icmp.reply_sequence(version, raw, b"another1", header + reply) is None
    assert icmp.reply_sequence(version, raw, TOKEN, header + request) is None


@pytest.mark.parametrize("packet", [b"", b"\x45", bytes(20), b"\xff" * 10])
def test_rubbish_is_no_reply(packet):
    assert icmp.reply_sequence(4, True, TOKEN, packet) is None
    assert icmp.reply_sequence(6, True, TOKEN, packet) is None


@pytest.mark.parametrize("wrong", [["--pps", "0"], ["--pps", "1001"], ["--seconds", "0"], ["--size", "8"]])
def test_limits_are_kept_on_the_viewpoint_too(wrong, capsys):
    with pytest.raises(SystemExit):
        icmp.parse(["192.0.2.1", *wrong])


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.name)
def test_programs_stand_alone(path):
    """They are copied to hosts that have nothing but Python 3.8."""
    tree = ast.parse(path.read_text(), feature_version=(3, 8))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]


def run_filter(packet: bytes) -> int:
    """Interpret the classic BPF program as the kernel does; return how many bytes are kept."""
    counter, accumulator = 0, 0
    while True:
        code, if_true, if_false, value = tap.FILTER[counter]
        if code == 0x06:
            return value
        if code == 0x28:
            accumulator = struct.unpack_from("!H", packet, value)[0]
        elif code == 0x30:
            accumulator = packet[value]
        counter += 1 + ((if_true if accumulator == value else if_false) if code == 0x15 else 0)


def ethernet(ether_type: int, payload: bytes) -> bytes:
    return bytes(12) + struct.pack("!H", ether_type) + payload.ljust(60, b"\0")


def ipv4(protocol: int, payload: bytes) -> bytes:
    ends = ipaddress.IPv4Address("10.0.0.5").packed + ipaddress.IPv4Address("10.0.0.1").packed
    return ethernet(tap.IPV4, bytes([0x45]) + bytes(8) + bytes([protocol]) + bytes(2) + ends + payload)


def ipv6(header: int, payload: bytes) -> bytes:
    ends = ipaddress.IPv6Address("fd00::5").packed + ipaddress.IPv6Address("fd00::1").packed
    return ethernet(tap.IPV6, bytes(6) + bytes([header]) + bytes(1) + ends + payload)


ECHO_4, ECHO_6 = (struct.pack("!BBHHH", kind, 0, 0, 9, 513) for kind in (8, 129))


@pytest.mark.parametrize(
    ("packet", "kept", "parsed"),
    [
        (ipv4(1, ECHO_4), True, ("request", 9, 513, "10.0.0.5", "10.0.0.1")),
        (ipv6(58, ECHO_6), True, ("reply", 9, 513, "fd00::5", "fd00::1")),
        (ipv4(6, bytes(20)), False, None),
        (ipv6(6, bytes([1]) * 20), False, None),
        (ipv4(1, struct.pack("!BBHHH", 3, 1, 0, 0, 0)), True, None),
        (ethernet(tap.ARP, bytes(14) + bytes([10, 0, 0, 5]) + bytes(6) + bytes([10, 0, 0, 1])), True,
         ("arp", 0, 0, "10.0.0.5", "10.0.0.1")),
        (ethernet(tap.RARP, bytes(28)), True, ("rarp", 0, 0, "0.0.0.0", "0.0.0.0")),
        (ethernet(0x88CC, bytes(40)), False, None),
    ],
)  # fmt: skip
def test_what_the_capture_keeps(packet, kept, parsed):
    assert run_filter(packet) == (tap.SNAP_LENGTH if kept else 0)
    assert tap.parse_frame(packet) == parsed
    assert tap.parse_frame(packet[:20]) is None
