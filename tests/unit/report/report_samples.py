# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence of imagined runs, as true to life as the lab's: used by the tests of the report."""

from __future__ import annotations

import dataclasses
import ipaddress
import math
import random
from collections.abc import Sequence

from ansible_collections.stretchnet.fabric.plugins.module_utils.model.change import (
    Approval,
    Attachment,
    Change,
    Gates,
    Gateway,
    Handoff,
    Segment,
    Viewpoint,
    Workload,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.evidence import (
    Difference,
    Event,
    Evidence,
    PointReference,
    Waiver,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.fabric import (
    Circuit,
    Device,
    Fabric,
    Link,
    Role,
    Site,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.measure import (
    ConvergencePoint,
    Gap,
    LossSummary,
    Migration,
    Probe,
    ProbeSeries,
    Table,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.plan import DeviceChange, Plan, Stage
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import (
    AddressFamily,
    BgpPeer,
    Counters,
    DeviceState,
    MacEntry,
    Port,
    Resources,
    Software,
)
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.verdict import (
    Finding,
    GateResult,
    Outcome,
    Severity,
    Verdict,
)

MAC = "52:54:00:12:34:56"


def fabric(leaves: int = 2, spines: int = 2, sites: Sequence[str] = ("ZONE-A", "ZONE-B")) -> Fabric:
    """A fabric of ``sites``, one border each, joined in a row by one DWDM circuit."""
    devices: list[Device] = []
    links: list[Link] = []
    for s, site in enumerate(sites):
        letter = site[-1].lower()
        lower = [(f"leaf-{letter}{i + 1}", Role.LEAF) for i in range(leaves)] + [(f"border-{letter}1", Role.BORDER)]
        for i in range(spines):
            devices.append(Device(f"spine-{letter}{i + 1}", site, Role.SPINE, "frr", asn=65000 + 100 * s))
        for i, (name, role) in enumerate(lower):
            vtep = ipaddress.ip_address(f"10.255.{s}.{i + 11}")
            devices.append(
                Device(name, site, role, "frr", asn=65001 + 100 * s + i, vtep_ip=vtep, owner=f"netops-{letter}")
            )
            links += [Link(f"spine-{letter}{n + 1}", f"swp{i + 1}", name, f"swp{n + 51}") for n in range(spines)]
    circuits = tuple(
        Circuit(
            f"dwdm-{i + 1}",
            f"border-{a[-1].lower()}1",
            f"swp{60 + i}",
            f"border-{z[-1].lower()}1",
            "swp1",
            capacity_gbps=100,
            length_km=80,
            delay_ms=0.4,
            provider="Lambda Telecom",
            owner="transport team",
        )
        for i, (a, z) in enumerate(zip(sites, sites[1:], strict=False))
    )
    return Fabric(
        "metro", tuple(Site(name, f"DC team {name}") for name in sites), tuple(devices), tuple(links), circuits
    )


def change(workload: bool = True) -> Change:
    """The change file of the samples."""
    segment = Segment(
        vlan_id=210,
        name="app-prod",
        vni=10210,
        sites=("ZONE-A", "ZONE-B"),
        gateway=Gateway(ipaddress.ip_interface("10.21.0.1/24"), ipaddress.ip_interface("2001:db8:21::1/64")),
        tenant="retail",
        attachments=(Attachment("leaf-a1", "hyp1"), Attachment("leaf-b1", "hyp1"), Attachment("leaf-b2", "swp9")),
        handoff=Handoff(circuits=("dwdm-1",)),
    )
    return Change(
        "CHG-2026-1142",
        segment,
        workload=Workload(
            "web01",
            "hv-a",
            "hv-b",
            MAC,
            ipv4=ipaddress.IPv4Address("10.21.0.50"),
            source_leaf="leaf-a1",
            destination_leaf="leaf-b1",
        )
        if workload
        else None,
        viewpoints=(Viewpoint("hv-a", "gateway"), Viewpoint("host-b", "workload")) if workload else (),
        gates=Gates(),
        approval=Approval(
            "Mara Lindqvist",
            "CHG0041142",
            ("One DWDM circuit only: the second one is ordered for March.",),
        ),
        description="Stretch the application VLAN to ZONE-B and move web01 there before the power works of Saturday.",
    )


def probes(
    seed: int, gap: tuple[float, float] | None, before_s: float, after_s: float, base_ms: float
) -> tuple[Probe, ...]:
    """Probes at 100 a second; the round-trip time rises by the circuit's delay once the move is done."""
    chance = random.Random(seed)
    found = []
    for i in range(int((before_s + after_s) * 100)):
        at = -before_s + i * 0.01
        rtt: float | None = base_ms + abs(chance.gauss(0, base_ms / 8)) + (0.9 if at > 3.4 else 0)
        if 0 < at < 3.4:
            rtt = (rtt or 0) * (1.6 + 0.5 * math.sin(at * 5)) + abs(chance.gauss(0, 0.5))
        if gap and gap[0] <= at < gap[1]:
            rtt = None
        found.append(Probe(i, at, None if rtt is None else round(rtt, 3)))
    return tuple(found)


def series(
    viewpoint: str, target: str, seed: int, gap: tuple[float, float] | None, *, extra: float = 0.0
) -> ProbeSeries:
    """One flow with its summary worked out from the probes."""
    found = probes(seed, gap, 15 + extra, 25 + extra, 0.45 if target == "gateway" else 1.4)
    answered = sorted(p.rtt_ms for p in found if p.rtt_ms is not None)
    lost = len(found) - len(answered)
    longest = Gap(gap[0], (gap[1] - gap[0]) * 1000, lost) if gap else None

    def rank(share: float) -> float | None:
        return answered[int(share * (len(answered) - 1))] if answered else None

    summary = LossSummary(
        sent=len(found),
        lost=lost,
        late=0,
        duplicates=0,
        reordered=0,
        longest_gap=longest,
        lost_at_1pps=math.ceil(gap[1] - gap[0]) if gap else 0,
        resolution_ms=10.4,
        rtt_ms_p50=rank(0.5),
        rtt_ms_p95=rank(0.95),
        rtt_ms_p99=rank(0.99),
        rtt_ms_max=rank(1.0),
    )
    return ProbeSeries(
        viewpoint,
        target,
        ipaddress.ip_address("10.21.0.1" if target == "gateway" else "10.21.0.50"),
        "ICMP",
        100,
        "2026-11-21T02:04:12.100Z",
        found,
        summary,
    )


def convergence(never: str = "") -> tuple[ConvergencePoint, ...]:
    """Tables of every leaf and border; ``never`` is a device that did not follow."""
    instants = {
        "leaf-b1": 3.262,
        "leaf-b2": 3.371,
        "border-b1": 3.382,
        "border-a1": 3.433,
        "leaf-a1": 3.498,
        "leaf-a2": 3.537,
    }
    found = []
    for device, at in instants.items():
        local = device == "leaf-b1"
        for i, table in enumerate((Table.EVPN_MAC, Table.EVPN_MAC_IP, Table.FORWARDING)):
            lost = device == never and table is not Table.EVPN_MAC
            found.append(
                ConvergencePoint(
                    device,
                    table,
                    None if lost else at + (0.0, 0.061, 0.012)[i],
                    (1.0, 5.0, 1.0)[i],
                    before="local hyp1" if device == "leaf-a1" else "10.255.0.11",
                    after=("local hyp1" if device == "leaf-a1" else "10.255.0.11")
                    if lost
                    else ("local hyp1" if local else "10.255.1.11"),
                    expected="local hyp1" if local else "10.255.1.11",
                    sequence_before=None if table is Table.FORWARDING else 0,
                    sequence_after=None if table is Table.FORWARDING else int(not lost),
                    method="netlink" if table is Table.FORWARDING else "vtysh poll",
                )
            )
    return tuple(found)


DIFF = """--- running
+++ candidate
@@ -12,6 +12,19 @@
 auto swp52
 iface swp52
+auto vni10210
+iface vni10210
+    vxlan-id 10210
+    vxlan-local-tunnelip 10.255.1.11
+    bridge-learning off
+    bridge-arp-nd-suppress on
+auto br210
+iface br210
+    bridge-ports vni10210 hyp1
+    address 10.21.0.1/24
+    address 2001:db8:21::1/64
+    hwaddress 00:00:5e:00:01:64
 router bgp 65102
- neighbor SPINES password s3cr3t-old
+ neighbor SPINES password s3cr3t-new
"""


def plan() -> Plan:
    """Leaves of site A, leaves of site B, borders."""

    def one(device: str, can_arm: bool = True) -> DeviceChange:
        inverse = "no auto vni10210\nno iface vni10210\nno auto br210\nno iface br210\n"
        return DeviceChange(device, "frr", DIFF.replace("+", ""), inverse, DIFF, "0" * 64, can_arm)

    done = DeviceChange("leaf-a2", "frr", "", "", "", "0" * 64)
    return Plan(
        "CHG-2026-1142",
        "metro",
        (
            Stage("leaves-ZONE-A", (one("leaf-a1"), done)),
            Stage("leaves-ZONE-B", (one("leaf-b1"), one("leaf-b2"))),
            Stage("borders", (one("border-a1"), one("border-b1"))),
        ),
    )


def state(device: str, moment: int) -> DeviceState:
    """A device's state; ``moment`` 0 before, 1 after."""
    errors = 7 + (3 if moment and device == "border-a1" else 0)
    return DeviceState(
        device,
        "frr",
        software=Software(device, "8.4.4", "FRRouting"),
        macs=tuple(MacEntry(f"52:54:00:00:00:{i:02x}") for i in range(4 + moment)),
        bgp_peers=tuple(BgpPeer(f"swp{i}", AddressFamily.L2VPN_EVPN, established=True) for i in range(51, 53)),
        ports=(Port("swp51", up=True, counters=Counters(rx_packets=1000, rx_errors=errors, tx_errors=0)),),
        resources=Resources(3.0 + 2 * moment, 8 << 30, (300 << 20) + moment * (2 << 20), 86400.0 + 300 * moment),
        unread={"optics": "the platform cannot tell"} if device == "border-a1" else {},
    )


def finding(verdict: Verdict, device: str, check: str = "vtep-flood-list", **more: str) -> Finding:
    """One finding."""
    return Finding(
        check, verdict, more.pop("subject", "VNI 10210"), more.pop("message", "Flood list is complete."), device, **more
    )


def gate(name: str, *findings: Finding, verdict: Verdict = Verdict.PASS, digest: str = "") -> GateResult:
    """One gate."""
    return GateResult(name, verdict, findings, digest or plan().digest, "2026-11-21T02:03:40.250Z", 4.31, 2)


def good_gates() -> tuple[GateResult, ...]:
    """Five open gates."""
    names = ("pre-checks", "stage leaves-ZONE-A", "stage leaves-ZONE-B", "stage borders", "post-checks")
    gates = []
    for name in names:
        found = [finding(Verdict.PASS, d) for d in ("leaf-a1", "leaf-b1", "border-a1")]
        found.append(
            finding(
                Verdict.SKIPPED,
                "border-a1",
                "optic-power",
                subject="swp60",
                message="The port has no optic: a copper link.",
            )
        )
        gates.append(gate(name, *found))
    return tuple(gates)


EVENTS = (
    Event("2026-11-21T02:03:10.004Z", "baseline", "state of 10 devices read in 3.2 s"),
    Event("2026-11-21T02:03:21.310Z", "rollback point", "recorded and read back"),
    Event("2026-11-21T02:03:30.120Z", "stage leaves-ZONE-A", "armed, goes back by itself in 120 s", "leaf-a1"),
    Event("2026-11-21T02:03:38.871Z", "stage leaves-ZONE-A", "confirmed", "leaf-a1"),
    Event("2026-11-21T02:04:27.100Z", "migrate", "live move of web01 from hv-a to hv-b begins"),
    Event("2026-11-21T02:04:30.511Z", "migrate", "web01 runs on hv-b; 5 RARP seen on hyp1", level="warning"),
)

POINT = PointReference(
    "/srv/stretchnet/points/CHG-2026-1142.json",
    "2026-11-21T02:03:21Z",
    "mara@jump-01",
    ("leaf-a1", "leaf-b1", "leaf-b2", "border-a1", "border-b1"),
    "ansible-playbook -i inventory stretchnet.fabric.rollback -e change_id=CHG-2026-1142",
)

VERSIONS = {"stretchnet.fabric": "1.0.0", "ansible-core": "2.19.2", "python": "3.11.7", "netmiko": "4.8.0"}


def applied() -> Evidence:
    """All went well: two viewpoints, one short gap."""
    network = fabric()
    names = [d.name for d in network.devices]
    return Evidence(
        change=change(),
        fabric=network,
        outcome=Outcome.APPLIED,
        headline="VLAN 210 app-prod is stretched over ZONE-A and ZONE-B, and web01 runs on hv-b.",
        started_at="2026-11-21T02:03:05Z",
        finished_at="2026-11-21T02:05:12Z",
        events=EVENTS,
        plan=plan(),
        gates=good_gates(),
        baseline=tuple(state(n, 0) for n in names),
        after=tuple(state(n, 1) for n in names),
        point=POINT,
        probes=(
            series("hv-a tap", "gateway", 1, (3.11, 3.262)),
            series("host-b", "workload", 2, (3.05, 3.43)),
        ),
        convergence=convergence(),
        migration=Migration("web01", "hv-a", "hv-b", "live", True, "2026-11-21T02:04:27.1Z", 3.41, 221.0, True, "hv-b"),
        waivers=(Waiver("DCI-DIVERSITY", "Mara Lindqvist", "Second circuit is ordered.", "2027-03-31"),),
        versions=VERSIONS,
    )


def reverted() -> Evidence:
    """Stage 3 failed: the circuit was cut; all taken back, and proven."""
    bad = gate(
        "stage borders",
        finding(Verdict.PASS, "leaf-a1"),
        finding(
            Verdict.FAIL,
            "border-a1",
            "bgp-evpn-established",
            subject="border-b1 over dwdm-1",
            message="The EVPN session to the other site is down.",
            expected="Established",
            found="Active for 12 s",
            remedy="Look at the DWDM circuit dwdm-1 (border-a1 swp60): no carrier since 02:03:52. Call Lambda Telecom.",
        ),
        finding(
            Verdict.ERROR,
            "border-b1",
            "dci-path-mtu",
            subject="dwdm-1 path MTU",
            message="No answer came: the path could not be measured.",
            remedy="Repeat once the circuit is up.",
        ),
        verdict=Verdict.FAIL,
    )
    return dataclasses.replace(
        applied(),
        outcome=Outcome.REVERTED,
        headline="Stage borders failed its gate, so every device was taken back.",
        gates=(*good_gates()[:3], bad),
        rollback_proven=True,
        probes=(),
        convergence=(),
        migration=None,
        events=(
            *EVENTS[:4],
            Event("2026-11-21T02:03:55.000Z", "stage borders", "gate failed: 1 fail, 1 could not look", level="error"),
            Event("2026-11-21T02:03:58.000Z", "stage borders", "reverted", "border-a1"),
        ),
    )


def needs_person() -> Evidence:
    """The move failed half-way, one leaf is unreachable: a person must look."""
    base = applied()
    return dataclasses.replace(
        base,
        outcome=Outcome.NEEDS_PERSON,
        headline="leaf-a2 could not be reached for the rollback: the fabric is between two states.",
        gates=(
            *base.gates[:4],
            gate(
                "post-checks",
                finding(
                    Verdict.ERROR,
                    "leaf-a2",
                    "reachable",
                    subject="SSH session",
                    message="The device did not answer for 30 s.",
                    remedy="Reach it by its console; it goes back by itself at 02:06:10.",
                ),
                verdict=Verdict.ERROR,
            ),
        ),
        probes=(
            series("hv-a tap", "gateway", 3, (3.1, 9.46), extra=60),
            series("host-b", "workload", 4, None, extra=60),
        ),
        convergence=convergence(never="leaf-a2"),
        differences=(
            Difference("leaf-a2", "vnis 10210", "vlan_id=210, up=True", None),
            Difference("leaf-a2", "vlans 210", None, "name=app-prod, active=True"),
        ),
        rollback_proven=False,
        remedies=(
            "Reach leaf-a2 by its console and see whether it went back: sudo stretchnet-commit status.",
            "Then run the rollback command below again: it repeats only what is missing.",
        ),
        findings=(
            Finding(
                "move-loss",
                Verdict.FAIL,
                "hv-a tap → gateway",
                "7 pings lost at one a second.",
                expected="at most 1",
                found="7",
                severity=Severity.CRITICAL,
            ),
        ),
    )


def plan_only() -> Evidence:
    """Check mode: the plan and nothing else."""
    return dataclasses.replace(
        applied(),
        outcome=Outcome.UNCHANGED,
        headline="Plan only: 5 devices would be changed in 3 stages.",
        gates=good_gates()[:1],
        after=(),
        events=EVENTS[:1],
        probes=(),
        convergence=(),
        migration=None,
        point=None,
        waivers=(),
    )


def no_workload() -> Evidence:
    """A stretch without a workload to move."""
    return dataclasses.replace(
        applied(),
        change=change(workload=False),
        headline="VLAN 210 app-prod is stretched over ZONE-A and ZONE-B.",
        probes=(),
        convergence=(),
        migration=None,
        events=EVENTS[:4],
    )


def large() -> Evidence:
    """Three sites with 40 leaves each."""
    network = fabric(leaves=40, spines=6, sites=("ZONE-A", "ZONE-C", "ZONE-B"))
    far = dataclasses.replace(network.circuits[0], name="dwdm-9", z_device="border-b1", z_port="swp2")
    return dataclasses.replace(applied(), fabric=dataclasses.replace(network, circuits=(*network.circuits, far)))


SAMPLES = {
    "applied": applied,
    "reverted": reverted,
    "needs_person": needs_person,
    "plan_only": plan_only,
    "no_workload": no_workload,
    "large": large,
}
