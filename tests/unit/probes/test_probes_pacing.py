# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The measuring programs over the loopback interface, in this process: what they send, write down, and end with."""

from __future__ import annotations

import errno
import io
import os
import select
import signal
import socket
import struct

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes import summary
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes.programs import (
    icmp,
    neighbor,
    pacing,
    tap,
    tcp,
    udp,
)

TOKEN = "0123456789abcdef"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="raw sockets need root")


def made(kind, parse, *words, port=0):
    out = io.StringIO()
    more = ["--token", TOKEN] if parse is udp.parse else []
    ports = [] if parse in (icmp.parse, neighbor.parse) else ["--port", str(port)]
    return kind(parse(["127.0.0.1", *ports, *more, *words]), out), out


def port_of(out):
    word, port = out.getvalue().split()[:2]
    assert word == "b"
    return int(port)


def serve(*programs):
    """Let each program take what waits for it; something must."""
    for program in programs:
        assert select.select(program.sockets(), [], [], 5)[0]
        program.receive()


def kinds(out):
    return [line[0] for line in out.getvalue().splitlines()]


def test_a_datagram_goes_there_and_back():
    responder, there = made(udp.UdpResponder, udp.parse)
    sender, here = made(udp.UdpSender, udp.parse, port=port_of(there))
    with responder.sock, sender.sock, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for foreign in (b"", b"x" * 56, bytes.fromhex(TOKEN)):
            stranger.sendto(foreign, responder.sock.getsockname())
        serve(responder)
        for sequence in (0, 7):
            sender.send(sequence)
            serve(responder, sender)
    assert [probe.sequence for probe in summary.read_series(here.getvalue())] == [0, 7]
    assert all(probe.rtt_ms is not None and probe.rtt_ms < 5000 for probe in summary.read_series(here.getvalue()))
    assert list(summary.read_arrivals(there.getvalue(), 0.0)) == [0, 7], "what carries another token is not answered"


def test_a_port_that_is_closed_is_an_error_of_the_next_datagram():
    sender, out = made(udp.UdpSender, udp.parse, port=1)
    with sender.sock:
        sender.send(0)
        select.select([sender.sock], [], [], 5)
        sender.send(1)
        sender.receive()
    assert kinds(out) == ["s", "s", "e"]
    assert out.getvalue().splitlines()[2] == f"e 1 {errno.ECONNREFUSED}"


def test_a_connection_is_kept_until_the_far_end_closes_it():
    responder, there = made(tcp.TcpResponder, tcp.parse)
    sender, here = made(tcp.TcpSender, tcp.parse, port=port_of(there))
    with responder.sock:
        responder.receive()
        assert len(responder.sockets()) == 2
        for sequence in (0, 1):
            sender.send(sequence)
            serve(responder, sender)
        (client,) = responder.clients
        client.shutdown(socket.SHUT_RDWR)
        serve(sender)
        sender.send(2)
        sender._over("again")
        sender.sock.close()
        client.close()
    assert kinds(here) == ["s", "r", "s", "r", "d", "t", "s", "e"]
    connection = summary.read_connection(here.getvalue(), 0.0)
    assert (connection.lived, connection.reason, connection.retransmitted) == (False, "the far end closed it", 0)
    assert [probe.rtt_ms is None for probe in summary.read_series(here.getvalue())] == [False, False, True]


def test_a_client_that_leaves_makes_room():
    responder, there = made(tcp.TcpResponder, tcp.parse)
    with responder.sock, socket.create_connection(("127.0.0.1", port_of(there))) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        responder.receive()
        assert len(responder.clients) == 1
        client.close()
        serve(responder)
        assert not responder.clients and responder.sockets() == [responder.sock]


def test_a_connection_that_breaks_says_why():
    responder, there = made(tcp.TcpResponder, tcp.parse)
    sender, here = made(tcp.TcpSender, tcp.parse, port=port_of(there))
    with responder.sock:
        client, _peer = responder.sock.accept()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        serve(sender)
    sender.sock.close()
    assert "reset by peer" in (summary.read_connection(here.getvalue(), 0.0).reason or "")


def run(tmp_path, monkeypatch, parse, program, *words):
    """Run the program as its command does; return the exit code, its series and the handlers of its signals."""
    handlers = {}
    monkeypatch.setattr(pacing.signal, "signal", lambda number, handler: handlers.update({number: handler}))
    output = tmp_path / "series"
    code = pacing.main(program, parse(["127.0.0.1", "--output", str(output), *words]))
    return code, output.read_text(), handlers


def test_probes_go_out_on_their_schedule(tmp_path, monkeypatch):
    before_ns = pacing.time.monotonic_ns()
    code, text, handlers = run(
        tmp_path, monkeypatch, udp.parse, udp.UdpSender,
        "--port", "9", "--pps", "1000", "--seconds", "0.02", "--linger", "0.001",
    )  # fmt: skip
    sent = [line.split() for line in text.splitlines() if line.startswith("s ")]
    assert code == 0 and 1 <= len(sent) <= 20 and set(handlers) == {signal.SIGTERM, signal.SIGINT}
    assert all(int(at) >= before_ns + int(sequence) * 1_000_000 for _s, sequence, at in sent), "none before its slot"
    sequences = [int(sequence) for _s, sequence, _at in sent]
    assert sequences == sorted(set(sequences)), "a slot that is missed stays empty"


def test_the_stop_file_and_a_signal_end_a_program(tmp_path, monkeypatch):
    (tmp_path / "stop").touch()
    words = ["--port", "0", "--seconds", "600", "--stop", str(tmp_path / "stop")]
    code, text, handlers = run(tmp_path, monkeypatch, udp.parse, udp.UdpResponder, *words)
    assert (code, text.split()[0]) == (0, "b")

    class Signalled(udp.UdpResponder):
        def run(self):
            handlers[signal.SIGTERM](signal.SIGTERM, None)
            super().run()

    handlers.clear()
    monkeypatch.setattr(pacing.signal, "signal", lambda number, handler: handlers.update({number: handler}))
    options = udp.parse(["127.0.0.1", "--port", "0", "--seconds", "600", "--output", str(tmp_path / "other")])
    assert pacing.main(Signalled, options) == 0


@pytest.mark.parametrize(("parse", "program", "words", "said"), [
    (udp.parse, udp.UdpSender, ["--token", "abcd"], "x the token must be 16 hexadecimal digits"),
    (udp.parse, udp.UdpSender, ["--token", "xyz"], "x non-hexadecimal"),
    (udp.parse, udp.UdpSender, ["--source", "192.0.2.77"], "x [Errno 99]"),
    (neighbor.parse, neighbor.NeighborSender, ["--source", "192.0.2.77"], "x no interface has 192.0.2.77"),
    (neighbor.parse, neighbor.NeighborSender, ["--source", "2001:db8::77"], "x no interface has 2001:db8::77"),
])  # fmt: skip
def test_a_program_that_cannot_begin_says_why(tmp_path, monkeypatch, parse, program, words, said):
    code, text, _handlers = run(tmp_path, monkeypatch, parse, program, *words)
    assert code == 1 and text.startswith(said) and text.count("\n") == 1


def test_an_arrival_without_a_stamp_of_the_kernel_is_now():
    before = pacing.time.monotonic_ns()
    assert before <= pacing.arrival_ns([(1, 2, b"short")]) <= pacing.time.monotonic_ns()


def answered(pinger, out):
    """Ping once; what else comes to a raw socket meanwhile is not the answer."""
    pinger.send(0)
    for _each in range(50):
        if "r" in kinds(out):
            break
        serve(pinger)


@needs_root
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_the_kernel_answers_our_echo(address):
    out = io.StringIO()
    pinger = icmp.Pinger(icmp.parse([address]), out)
    with pinger.sock:
        answered(pinger, out)
    assert [probe.rtt_ms is not None for probe in summary.read_series(out.getvalue())] == [True]


@needs_root
def test_a_capture_sees_the_echo_on_its_interfaces():
    out, sent = io.StringIO(), io.StringIO()
    capture = tap.Capture(tap.parse(["--interface", "lo", "--seconds", "0.001"]), out)
    pinger = icmp.Pinger(icmp.parse(["127.0.0.1"]), sent)
    with capture.sock, pinger.sock:
        answered(pinger, sent)
        capture.run()
    ours = [line for line in summary.shift(out.getvalue(), 0.0) if line.split()[4] == str(pinger.identifier)]
    assert {line.split()[3] for line in ours} == {"request", "reply"}
    (probe,) = summary.tap_series(ours, "127.0.0.1", "127.0.0.1")
    assert probe.rtt_ms is not None


@needs_root
def test_a_question_that_nobody_answers_stays_open():
    sender, out = made(neighbor.NeighborSender, neighbor.parse, "--source", "127.0.0.1")
    with sender.sock:
        assert sender.frame == neighbor.arp_request(b"\0" * 6, sender.source, sender.target)
        sender.send(3)
        sender.receive()
        assert [sequence for sequence, _at in sender.open] == [3]
    assert kinds(out) == ["s"]
