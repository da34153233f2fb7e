# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SN8xx: hosts and hypervisors at their leaves."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.design import HostPlan
from ..model.verdict import Finding, Severity
from .base import Case, Example, Rule


def _subject(host: HostPlan) -> str:
    return f"Host: {host.name}"


def _in_segment(case: Case) -> tuple[HostPlan, ...]:
    return case.hosts_in(case.segment.vlan_id) if case.segment else ()


class LacpBothEnds(Rule):
    """A host at two leaves has LACP on both ends."""

    id = "SN801"
    formula = "leaves > 1 => lacp_host = lacp_leaf = true"
    source = "IEEE 802.1AX; a static bundle sends into a leaf that forwards nothing"
    remedy = "Set mode 802.3ad on the host and an active port-channel on both leaves."
    bad = Example(
        {"design.hosts.hv-a1.lacp_leaf": False},
        "Host: hv-a1 - has LACP on one end only - Expected: both ends - Found: host true, leaf false",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        for host in case.design.hosts:
            if len(host.leaves) < 2:
                yield self.fail(
                    _subject(host),
                    "hangs on a single leaf",
                    expected="2 leaves",
                    found=", ".join(host.leaves) or "none",
                    severity=Severity.WARNING,
                    remedy="Attach the host to both leaves of its rack.",
                )
            elif host.lacp_host is None or host.lacp_leaf is None:
                yield self.skip(_subject(host), "lacp_host or lacp_leaf is not known")
            elif not (host.lacp_host and host.lacp_leaf):
                found = f"host {host.lacp_host}, leaf {host.lacp_leaf}".lower()
                one = host.lacp_host or host.lacp_leaf
                message = "has LACP on one end only" if one else "has no LACP"
                yield self.fail(_subject(host), message, expected="both ends", found=found)


class BondHash(Rule):
    """A bond hashes on layers 3 and 4."""

    id = "SN802"
    severity = Severity.WARNING
    formula = "xmit_hash_policy = layer3+4 (encap3+4 where tunnels start on the host)"
    source = "Linux bonding documentation; layer2 puts all traffic to one gateway on one link"
    remedy = "Set xmit_hash_policy to layer3+4."
    bad = Example(
        {"design.hosts.hv-a1.hash_policy": "layer2"},
        "Host: hv-a1 - its bond does not spread flows - Expected: layer3+4 or encap3+4 - Found: layer2",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        for host in case.design.hosts:
            if len(host.leaves) > 1 and host.hash_policy not in (None, "layer3+4", "encap3+4"):
                expected = "layer3+4 or encap3+4"
                message = "its bond does not spread flows"
                yield self.fail(_subject(host), message, expected=expected, found=host.hash_policy)


class BondMtu(Rule):
    """A host's bond has exactly the MTU of its segments: no more, and for storage no less."""

    id = "SN803"
    formula = "mtu(bond) >= max(mtu of its VLANs); mtu(bond) <= that where it has a single VLAN"
    source = "RFC 1191 needs a router between: within a subnet a larger packet just vanishes"
    remedy = "Set the bond's MTU to its largest segment's, and each VLAN interface to its own."
    bad = Example(
        {"design.hosts.san-a1.mtu": 1500},
        "Host: san-a1 - its bond is narrower than VLAN 20 - Expected: at least 9000 - Found: 1500",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        sizes = {plan.vlan_id: plan.mtu for plan in case.segments}
        for host in case.design.hosts:
            known = {vlan: sizes[vlan] for vlan in host.vlans if vlan in sizes}
            if host.mtu is None or not known:
                continue
            vlan = max(known, key=lambda v: known[v])
            if host.mtu < known[vlan]:
                message, expected = f"its bond is narrower than VLAN {vlan}", f"at least {known[vlan]}"
                yield self.fail(_subject(host), message, expected=expected, found=host.mtu)
            elif host.mtu > known[vlan] and len(known) == 1:
                message = f"its bond sends larger packets than VLAN {vlan} takes"
                yield self.fail(_subject(host), message, expected=known[vlan], found=host.mtu)


class LiveMovePossible(Rule):
    """A VM of the stretched segment that is to move live has no device passed through."""

    id = "SN804"
    formula = "host in the change's VLAN => not passthrough"
    source = "QEMU and vSphere: SR-IOV and passthrough devices have state that is not copied"
    remedy = "Use a paravirtual NIC (with failover pair, virtio standby), or move the VM cold."
    bad = Example(
        {"design.hosts.hv-a1.passthrough": True},
        "Host: hv-a1 - its VMs cannot move live - Expected: no SR-IOV or passthrough - Found: passed through",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        for host in _in_segment(case):
            if host.passthrough:
                expected = "no SR-IOV or passthrough"
                yield self.fail(_subject(host), "its VMs cannot move live", expected=expected, found="passed through")


class RoceVersion(Rule):
    """RoCE v1 stays within its layer 2 on one site; no host of a stretched segment uses it."""

    id = "SN805"
    formula = "roce = 1 => its VLANs are on one site"
    source = "InfiniBand Annex A16 (v1 is an Ethertype, 0x8915) and A17 (v2, UDP 4791)"
    remedy = "Use RoCE v2, or leave RDMA on one site."
    bad = Example(
        {"design.hosts.hv-a1.roce": 1},
        "Host: hv-a1 - RoCE v1 in a stretched VLAN - Expected: v2, or a VLAN of one site - Found: v1 in VLAN 10, 100",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        stretched = {plan.vlan_id for group in case.stretched for plan in group}
        for host in case.design.hosts:
            wide = sorted(stretched & set(host.vlans))
            if host.roce == 1 and wide:
                found = f"v1 in VLAN {', '.join(map(str, wide))}"
                message = "RoCE v1 in a stretched VLAN"
                yield self.fail(_subject(host), message, expected="v2, or a VLAN of one site", found=found)


class RoceLossless(Rule):
    """RoCE v2 has PFC and ECN on its way."""

    id = "SN806"
    formula = "roce = 2 => pfc and ecn"
    source = "InfiniBand Annex A17; IEEE 802.1Qbb (PFC), RFC 3168 (ECN); DCQCN"
    remedy = "Configure PFC on one priority and ECN marking on every switch of the path; never PFC over the DWDM."
    bad = Example(
        {"design.hosts.san-a1.roce": 2, "design.hosts.san-a1.pfc": True, "design.hosts.san-a1.ecn": False},
        "Host: san-a1 - RoCE v2 without a lossless way - Expected: PFC and ECN - Found: pfc true, ecn false",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        for host in case.design.hosts:
            if host.roce != 2:
                continue
            if host.pfc is None or host.ecn is None:
                yield self.skip(_subject(host), "pfc or ecn is not known")
            elif not (host.pfc and host.ecn):
                found = f"pfc {host.pfc}, ecn {host.ecn}".lower()
                yield self.fail(_subject(host), "RoCE v2 without a lossless way", expected="PFC and ECN", found=found)


class KubernetesPeering(Rule):
    """A Kubernetes node that peers with its leaf can also peer where it moves to."""

    id = "SN807"
    formula = (
        "cni => asn private and no leaf's, peer = an anycast gateway, pod range known, accepted at the destination"
    )
    source = "Calico and Cilium BGP guides; RFC 7938 section 5.2.1"
    remedy = "Peer with the anycast gateway (dynamic neighbours on every leaf), one ASN per cluster, pod range allowed."
    bad = Example(
        {"design.hosts.k8s-a1.cni_peer": "10.255.1.13"},
        "Host: k8s-a1 - its calico peers with an address of one leaf - Expected: a gateway of its VLANs - "
        "Found: 10.255.1.13",
    )

    def judge(self, case: Case) -> Iterator[Finding]:
        numbers = {d.asn for d in case.fabric.devices}
        for host in case.design.hosts:
            if host.cni is not None:
                yield from self._node(case, host, numbers)

    def _node(self, case: Case, host: HostPlan, numbers: set[int | None]) -> Iterator[Finding]:
        subject, cni = _subject(host), host.cni
        if None in (host.cni_asn, host.cni_peer, host.pod_prefix, host.cni_peers_at_destination):
            yield self.skip(subject, f"cni_asn, cni_peer, pod_prefix or cni_peers_at_destination of {cni} is not known")
        if host.cni_asn is not None and host.cni_asn in numbers:
            message = f"its {cni} has the AS number of a device"
            yield self.fail(subject, message, expected="a number of its own", found=host.cni_asn)
        gateways = {
            address.ip
            for plan in case.segments
            if plan.vlan_id in host.vlans
            for address in (plan.gateway_ipv4, plan.gateway_ipv6)
            if address is not None
        }
        if host.cni_peer is not None and host.cni_peer not in gateways:
            message = f"its {cni} peers with an address of one leaf"
            yield self.fail(subject, message, expected="a gateway of its VLANs", found=host.cni_peer)
        if host.cni_peers_at_destination is False and host in _in_segment(case):
            message = f"the leaves of the other site do not accept {host.pod_prefix} from its {cni}"
            yield self.fail(subject, message, expected="a session there too", found="none")
