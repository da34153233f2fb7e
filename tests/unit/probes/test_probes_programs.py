# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that are copied to viewpoints: packets, filters, limits."""

from __future__ import annotations

import ast
import collections
import io
import ipaddress
import struct
import sys
from pathlib import Path

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes.programs import (
    icmp,
    neighbor,
    pacing,
    tap,
    tcp,
    udp,
)
from hypothesis import given
from hypothesis import strategies as st

TOKEN = b"12345678"
PROGRAMS = sorted(Path(pacing.__file__).parent.glob("*.py"))


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


@pytest.mark.parametrize("program", [icmp, udp, neighbor, tcp])
@pytest.mark.parametrize("wrong", [["--pps", "0"], ["--pps", "1001"], ["--seconds", "0"], ["--size", "8"]])
def test_limits_are_kept_on_the_viewpoint_too(program, wrong, capsys):
    with pytest.raises(SystemExit):
        program.parse(["192.0.2.1", *wrong])


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.name)
def test_programs_need_nothing_but_their_folder(path):
    """They are copied to hosts that have nothing but Python 3.8."""
    tree = ast.parse(path.read_text(), feature_version=(3, 8))
    relative = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]
    assert all(node.level == 1 for node in relative)
    absolute = {a.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    assert absolute <= sys.stdlib_module_names


MAC, OTHER = bytes.fromhex("525400000001"), bytes.fromhex("525400000002")
V4 = (ipaddress.ip_address("192.0.2.1"), ipaddress.ip_address("192.0.2.2"))
V6 = (ipaddress.ip_address("2001:db8::1"), ipaddress.ip_address("2001:db8::ab:cdef"))


def arp_reply(sender, receiver, operation=neighbor.REPLY):
    body = neighbor.ARP_BODY.pack(1, 0x0800, 6, 4, operation, OTHER, sender.packed, MAC, receiver.packed)
    return (MAC + OTHER + b"\x08\x06" + body).ljust(60, b"\0")


def advertisement(target, receiver, kind=neighbor.ADVERTISEMENT):
    head = struct.pack("!IHBB", 6 << 28, 32, 58, 255) + target.packed + receiver.packed
    body = struct.pack("!BBHI", kind, 0, 0, 0x60000000) + target.packed + b"\x02\x01" + OTHER
    return MAC + OTHER + b"\x86\xdd" + head + body


@pytest.mark.parametrize(
    ("frame", "ends", "is_answer"),
    [
        (arp_reply(V4[1], V4[0]), V4, True),
        (arp_reply(V4[1], V4[0], neighbor.REQUEST), V4, False),
        (arp_reply(ipaddress.ip_address("192.0.2.9"), V4[0]), V4, False),
        (arp_reply(V4[1], ipaddress.ip_address("192.0.2.9")), V4, False),
        (arp_reply(V4[1], V4[0])[:30], V4, False),
        (advertisement(V6[1], V6[0]), V6, True),
        (advertisement(V6[1], V6[0], neighbor.SOLICITATION), V6, False),
        (advertisement(V6[0], V6[0]), V6, False),
        (advertisement(V6[1], V6[1]), V6, False),
        (advertisement(V6[1], V6[0])[:60], V6, False),
        (arp_reply(V4[1], V4[0]), V6, False),
    ],
)
def test_only_the_answer_to_our_question_counts(frame, ends, is_answer):
    assert neighbor.answers(frame, *ends) is is_answer


def test_the_questions_are_those_of_a_host_that_does_not_know():
    arp = neighbor.arp_request(MAC, *V4)
    assert arp[:6] == b"\xff" * 6 and arp[6:12] == MAC and len(arp) == 60
    assert tap.parse_frame(arp) == ("arp", 0, 0, "192.0.2.1", "192.0.2.2")
    asked = neighbor.solicitation(MAC, *V6)
    assert asked[:6].hex() == "3333ffabcdef"  # RFC 2464 section 7, of the solicited-node group (RFC 4291 section 2.7.1)
    assert str(ipaddress.IPv6Address(asked[38:54])) == "ff02::1:ffab:cdef"
    assert asked[21] == 255  # RFC 4861 section 7.1.1: any other hop limit is dropped
    pseudo = asked[22:54] + struct.pack("!II", len(asked) - 54, 58)
    assert icmp.checksum(pseudo + asked[54:]) == 0


def test_an_answer_counts_for_the_newest_open_question_of_the_last_second():
    sender = object.__new__(neighbor.NeighborSender)
    second = 1_000_000_000
    sender.open = collections.deque([(0, 0), (1, second + 20), (2, 2 * second - 1)])
    sender.out = io.StringIO()
    for at_ns in (2 * second, 2 * second + 5, 2 * second + 9):
        sender._answered(at_ns)
    # The third is nobody's: question 0 is too old, and the kernel asks for itself too.
    assert sender.out.getvalue() == "r 2 2000000000\nr 1 2000000005\n"


@pytest.mark.parametrize(("version", "frame", "kept"), [
    (4, arp_reply(V4[1], V4[0]), True), (4, advertisement(V6[1], V6[0]), False),
    (6, advertisement(V6[1], V6[0]), True), (6, arp_reply(V4[1], V4[0]), False),
])  # fmt: skip
def test_the_kernel_drops_what_is_no_question_of_neighbours(version, frame, kept):
    assert bool(run_filter(frame, neighbor.FILTERS[version])) is kept


def run_filter(packet: bytes, instructions=tuple(tap.FILTER)) -> int:
    """Interpret the classic BPF program as the kernel does; return how many bytes are kept."""
    counter, accumulator = 0, 0
    while True:
        code, if_true, if_false, value = instructions[counter]
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
