# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of MAC addresses: unique, and those of other segments still known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator

from ..model.fabric import Device
from ..model.state import DeviceState, EntryKind, Fact, MacEntry
from ..model.verdict import Finding, Severity, Verdict
from .base import DeviceCheck, FabricCheck
from .context import CheckContext, PhaseKind

_OWN = (EntryKind.LOCAL, EntryKind.STATIC)


def learned_here(entry: MacEntry) -> bool:
    """Say whether a device learned the address on a port of its own."""
    return entry.vtep is None and entry.kind not in (*_OWN, EntryKind.REMOTE)


def segment_of(entry: MacEntry) -> tuple[str, int] | None:
    """Return what the address belongs to: its VNI, else its VLAN; None where the device does not say."""
    if entry.vni is not None:
        return "VNI", entry.vni
    return ("VLAN", entry.vlan_id) if entry.vlan_id is not None else None


def is_segment(context: CheckContext, entry: MacEntry) -> bool:
    """Say whether the entry belongs to the segment of the change."""
    segment = context.change.segment
    return entry.vni == segment.vni if entry.vni is not None else entry.vlan_id == segment.vlan_id


def _alive(context: CheckContext) -> Collection[tuple[str, tuple[str, int] | None]]:
    """Return the addresses that some device has on a port of its own; worked out once for an evaluation."""
    return context.once(
        "alive",
        lambda: {(m.mac, segment_of(m)) for s in context.states.values() for m in s.macs or () if m.vtep is None},
    )


class VerifyMacUnique(FabricCheck):
    """No MAC address of the segment is learned on ports of two leaves that are no pair.

    Expected Results:
        pass: every address is behind one leaf, or one pair.
        fail: an address is on ports of several: two machines with one MAC, or a loop.
        error: the MAC table of a leaf could not be read.
    """

    facts = frozenset({Fact.MACS})
    remedy = "Look for a cloned VM, or for a second layer-2 path between the sites, before anything else."
    source = "RFC 7432 section 15.1"

    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        return context.segment_leaves()

    def test(self, context: CheckContext) -> Iterator[Finding]:
        places: dict[str, dict[str, str]] = defaultdict(dict)
        for device in self.devices(context):
            state = context.states.get(device.name)
            for entry in (state.macs if state else None) or ():
                if is_segment(context, entry) and learned_here(entry):
                    places[entry.mac].setdefault(device.name, entry.port or "an unknown port")
        for mac, where in sorted(places.items()):
            if len({self._pair(context, name) for name in where}) > 1:
                yield self.finding(
                    Verdict.FAIL,
                    f"MAC: {mac}",
                    "is learned on ports of several leaves",
                    expected="one leaf, or one pair",
                    found=", ".join(f"{name} {port}" for name, port in sorted(where.items())),
                )

    @staticmethod
    def _pair(context: CheckContext, name: str) -> frozenset[str]:
        return frozenset({name, *(d.name for d in context.devices_behind(name))})


class VerifyMacBystanders(DeviceCheck):
    """The MAC addresses of other segments that were known at the baseline are still known.

    Expected Results:
        pass: every address of another segment is still in the device's table.
        fail: the device lost an address of its own, or one that its leaf still has. One that nobody has any more
            has aged, which is a warning.
        error: the MAC table could not be read now or at the baseline.
    """

    facts = frozenset({Fact.MACS})
    phases = frozenset({PhaseKind.STAGE, PhaseKind.POST, PhaseKind.AFTER_MOVE, PhaseKind.ROLLBACK})
    remedy = "The change must not touch other segments: revert the stage, and look for what the device flushed."

    def devices(self, context: CheckContext) -> tuple[Device, ...]:
        return tuple(d for d in context.scope() if d.vtep_ip is not None)

    def test(self, context: CheckContext, device: Device, state: DeviceState) -> Iterator[Finding]:
        before = context.baseline.get(device.name)
        if before is None or before.macs is None:
            yield self.finding(
                Verdict.ERROR, f"Device: {device.name}", "the MACs of the baseline are not known", device=device.name
            )
            return
        now = {(m.mac, segment_of(m)) for m in state.macs or ()}
        for entry in before.macs:
            key = (entry.mac, segment_of(entry))
            if key not in now and not is_segment(context, entry):
                yield self._lost(device, entry, entry.kind in _OWN or key in _alive(context))

    def _lost(self, device: Device, entry: MacEntry, certain: bool) -> Finding:
        segment = segment_of(entry)
        return self.finding(
            Verdict.FAIL,
            f"MAC: {entry.mac}",
            "of another segment is lost" if certain else "of another segment has aged everywhere",
            device=device.name,
            expected=f"known in {segment[0]} {segment[1]}" if segment else "known",
            found="unknown",
            severity=Severity.CRITICAL if certain else Severity.WARNING,
        )
