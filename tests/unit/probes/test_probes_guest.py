# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guest's own view from hosts that answer as they are told: what its taps saw, and what is no measurement."""

from __future__ import annotations

import ipaddress
import json

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import DeviceError, ProbeError
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes import guest
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes.host import ClockOffset

GUEST, GATEWAY = ipaddress.ip_address("10.0.0.5"), ipaddress.ip_address("10.0.0.1")
DIRECTORY = "/tmp/stretchnet-probe.AbCdEf12"


class Host:
    """A hypervisor whose tap saw ``capture``; the programs it is asked to run are noted in ``ran``."""

    def __init__(self, name="hv-a", capture="b 1\n", answers=None, offset_s=0.0):
        self.name, self.capture, self.ran = name, capture, []
        self.answers = {"mktemp": DIRECTORY, "sh": "4711", "tail": capture, "cat": capture, **(answers or {})}
        self._clock = ClockOffset(offset_s, 0.0005)

    def run(self, argv, text="", timeout_s=30.0):
        self.ran.append(argv)
        answer = self.answers.get(argv[0], "")
        if argv[:2] == ["kill", "-0"] or isinstance(answer, Exception):
            raise answer or DeviceError("no such process", device=self.name)
        return answer

    def clock(self):
        return self._clock


class Agent(Host):
    """A viewpoint in the guest's segment, whose guest gives ``said`` for an answer."""

    def __init__(self, said=None):
        super().__init__("web01", answers={"python3": json.dumps({"ok": True}) if said is None else said})


def line(at_ms, kind, sequence, direction="in"):
    ends = {"request": "10.0.0.5 10.0.0.1", "reply": "10.0.0.1 10.0.0.5"}.get(kind, "10.0.0.5 10.0.0.5")
    return f"{at_ms * 1_000_000} vnet0 {direction} {kind} 7 {sequence} {ends}\n"


def pings(first, last, lost=()):
    for i in range(first, last):
        yield line(i * 10, "request", i)
        if i not in lost:
            yield line(i * 10 + 1, "reply", i, "out")


def flow(*hosts, agent=None):
    agent = guest.GuestAgent(agent or Agent(), GUEST)
    return guest.GuestFlow(agent, hosts, GUEST, "gateway", GATEWAY, 100)


def test_two_taps_are_one_series_on_one_axis():
    """The guest leaves hv-a after 0.2 s and is heard again on hv-b, whose clock is a second behind, 50 ms later."""
    source = Host("hv-a", "b 1\n" + "".join(pings(0, 20)))
    later = line(-1000 + 245, "arp", 0) + "".join(
        line(at - 1000, kind, i, way)
        for i in range(25, 60)
        for at, kind, way in ((i * 10, "request", "in"), (i * 10 + 1, "reply", "out"))
    )
    found = flow(source, Host("hv-b", "b 1\n" + later, offset_s=1.0))
    found.start()
    assert found.steady()
    series = found.stop(0.0, 0.25)
    assert (series.viewpoint, series.protocol, series.summary.sent, series.summary.lost) == ("workload", "icmp", 55, 0)
    assert series.summary.longest_gap.length_ms == pytest.approx(50, abs=1)
    assert found.announced_s == {"arp": pytest.approx(0.245)}
    assert series.notes == (
        "replies at the tap; clocks of the hypervisors known within 0.50 ms",
        "first arp from the workload at 0.245 s",
    )


@pytest.mark.parametrize(("capture", "steady"), [
    ("b 1\n", False),
    ("b 1\n" + "".join(pings(0, 20)), True),
    ("b 1\n" + "".join(pings(0, 100, lost=range(30, 100))), False),
    ("b 1\n" + line(0, "reply", 0, "out"), False),
])  # fmt: skip
def test_steady_is_a_reply_within_half_a_second_of_the_last_request(capture, steady):
    assert flow(Host(capture=capture)).steady() is steady


def test_a_garbled_capture_is_an_error_of_the_measurement_and_is_still_cleared_away():
    host = Host(capture="b 1\n" + line(0, "request", 0) + "\0\0\0\n")
    found = flow(host)
    found.start()
    with pytest.raises(ProbeError, match="^line 3 of what the capture on hv-a recorded is garbled"):
        found.steady()
    with pytest.raises(ProbeError, match="^line 3 of what the capture on hv-a recorded is garbled"):
        found.stop(0.0, 1.0)
    assert ["rm", "-rf", "--", DIRECTORY] in host.ran
    found.abandon()  # there is nothing left to end, and nothing more to say


def test_a_guest_that_has_gone_leaves_its_capture():
    host, agent = Host(capture="b 1\n" + "".join(pings(0, 20))), Agent()
    found = flow(host, agent=agent)
    found.start()
    agent.answers["python3"] = DeviceError("no answer")
    assert found.stop(0.0, 1.0).summary.sent == 20


def test_a_ping_that_no_tap_sees_is_no_measurement(monkeypatch):
    monkeypatch.setattr(guest, "START_TIMEOUT_S", -1.0)
    with pytest.raises(ProbeError, match="the guest's ping to 10.0.0.1 is not seen at any tap") as caught:
        flow(Host(capture="b 1\n" + line(0, "request", 0).replace("10.0.0.1", "10.0.0.9"))).start()
    assert caught.value.device == "hv-a"


@pytest.mark.parametrize(("answers", "message"), [
    ({"mktemp": "/tmp/elsewhere; rm -rf /"}, "mktemp did not answer with a directory"),
    ({"sh": "sh: python3: not found"}, "the program could not be started"),
    ({"tail": "x [Errno 1] Operation not permitted\n"}, "cannot measure: .Errno 1. Operation not permitted"),
    ({"tail": DeviceError("no such file")}, "the probe gave no output: no message"),
])  # fmt: skip
def test_a_program_that_does_not_run_is_an_error_at_its_start(answers, message):
    host = Host(answers=answers)
    with pytest.raises(ProbeError, match=message) as caught:
        flow(host).start()
    assert caught.value.device == "hv-a"


@pytest.mark.parametrize(("said", "message"), [
    ("", "gave no JSON"), ("[" * 100_000, "gave no JSON"), ("[1]", "refused: .1."),
    ('{"error": "no\\u001b such"}', "refused"), ('{"counter": 1}', r"does not say who it is \(KeyError\)"),
    ('{"id": "", "counter": 1, "uptime_s": 1}', r"who it is \(ValueError\)"),
    ('{"id": "a", "counter": "many", "uptime_s": 1}', r"who it is \(ValueError\)"),
    ('{"id": "a", "counter": 1e999, "uptime_s": 1}', r"who it is \(OverflowError\)"),
])  # fmt: skip
def test_a_guest_that_gives_no_answer_to_the_question(said, message):
    with pytest.raises(DeviceError, match=message) as caught:
        guest.GuestAgent(Agent(said), GUEST).status()
    assert (caught.value.device, caught.value.command) == ("web01", "status")


@pytest.mark.parametrize(
    ("identity", "counter", "same"), [("a", 5, True), ("a", 9, True), ("a", 4, False), ("b", 9, False)]
)
def test_the_same_guest_counts_on(identity, counter, same):
    assert guest.GuestStatus(identity, counter, 1.0).same_as(guest.GuestStatus("a", 5, 0.0)) is same
