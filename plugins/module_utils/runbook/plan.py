# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``plan``: which device gets which lines in which stage, with the inverse and the device's own diff."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from ..model.change import Change, HandoffMode
from ..model.errors import InputError, StretchnetError
from ..model.fabric import Device, Fabric, Role
from ..model.plan import DeviceChange, Plan, Rendered, Stage, config_digest
from .fleet import Fleet
from .ports import Platform, RemovingPlatform

T = TypeVar("T")

#: Device -> candidate, to device -> the device's own diff.
Differ = Callable[[Mapping[str, str]], Mapping[str, str]]


def stages(change: Change, fabric: Fabric) -> tuple[tuple[str, tuple[Device, ...]], ...]:
    """Return the stages as (name, devices): per site its spines and leaves, last the DWDM-facing borders.

    A spine that needs a line (a platform that carries VNIs on spines) is changed before its site's leaves see it,
    so it stands first in the stage of its site. A change that takes the segment away goes the other way round.
    """
    if change.removes:
        return _removal_stages(change, fabric)
    found = []
    for site in change.segment.sites:
        devices = (*fabric.select(site=site, role=Role.SPINE), *fabric.select(site=site, role=Role.LEAF))
        found.append((f"leaves-{site}", devices))
    borders = _handoff_borders(change, fabric)
    if borders:
        found.append(("borders", borders))
    return tuple(found)


def _removal_stages(change: Change, fabric: Fabric) -> tuple[tuple[str, tuple[Device, ...]], ...]:
    """First the circuits are closed for the segment, then the leaves of each site that loses it, last site first.

    A border of a site that keeps it is changed only where no stretch is left at all.
    """
    ends = _handoff_borders(change, fabric)
    alone = len(change.kept_sites) < 2
    borders = tuple(d for d in ends if alone or d.site in change.remove_from)
    leaves = [
        (f"leaves-{site}", tuple(fabric.select(site=site, role=Role.LEAF)))
        for site in reversed(change.segment.sites)
        if site in change.remove_from
    ]
    return ((("borders", borders),) if borders else ()) + tuple(leaves)


def _handoff_borders(change: Change, fabric: Fabric) -> tuple[Device, ...]:
    """Return the devices at the ends of the circuits over which the segment crosses, in inventory order."""
    wanted = set(change.segment.handoff.circuits)
    ends = {end for c in fabric.circuits if c.name in wanted for end in (c.a_device, c.z_device)}
    return tuple(d for d in fabric.devices if d.name in ends)


def planned_devices(change: Change, fabric: Fabric) -> tuple[str, ...]:
    """Return the names of all devices that the plan looks at, in stage order."""
    return tuple(device.name for _name, devices in stages(change, fabric) for device in devices)


def make_plan(
    change: Change,
    fabric: Fabric,
    platforms: Mapping[str, Platform],
    running: Mapping[str, str],
    differ: Differ,
) -> Plan:
    """Render every device against its running configuration and return the whole plan; nothing is changed.

    Args:
        platforms: by the name in ``Device.platform``.
        running: the running configuration of every planned device.
        differ: asks the devices what each candidate would change; it is called once, with those that are not empty.

    Raises:
        InputError: no platform or no running configuration for a device, or a device that cannot be armed and is
            not in ``change.accept_unarmed``; or no route target, where the platforms would not choose the same one.
    """
    order = stages(change, fabric)
    _refuse_two_route_targets(change, [d for _name, group in order for d in group], platforms)
    rendered = {
        device.name: _render(change, fabric, platforms, running, device) for _name, group in order for device in group
    }
    diffs = differ({name: r.apply for name, r in rendered.items() if not r.empty})
    planned = tuple(
        Stage(
            name,
            tuple(
                _device_change(device, platforms, running[device.name], rendered[device.name], diffs)
                for device in group
                if device.role is not Role.SPINE or not rendered[device.name].empty
            ),
        )
        for name, group in order
    )
    plan = Plan(change.change_id, fabric.name, planned)
    _refuse_unarmed(plan, change)
    return plan


def plan_change(change: Change, fabric: Fabric, platforms: Mapping[str, Platform], fleet: Fleet) -> Plan:
    """Read the running configurations by the fleet, render, ask the devices for their diffs, return the plan.

    Raises:
        StretchnetError: the typed error of the first device that could not be read or refused its candidate.
        InputError: see make_plan.
    """
    names = planned_devices(change, fabric)
    running = _all(fleet.read(names, lambda session: session.config()))

    def differ(candidates: Mapping[str, str]) -> Mapping[str, str]:
        return _all(fleet.each(candidates, lambda name: fleet.one(name, lambda s: s.diff(candidates[name]))))

    return make_plan(change, fabric, platforms, running, differ)


def _all(answers: Mapping[str, T | StretchnetError]) -> dict[str, T]:
    """Return the results; raise the first error: half a fabric cannot be planned."""
    found: dict[str, T] = {}
    for name, answer in answers.items():
        if isinstance(answer, StretchnetError):
            raise answer
        found[name] = answer
    return found


def _render(
    change: Change, fabric: Fabric, platforms: Mapping[str, Platform], running: Mapping[str, str], device: Device
) -> Rendered:
    if device.platform not in platforms:
        known = ", ".join(sorted(platforms)) or "none"
        raise InputError(f"hostvars[{device.name}].stretchnet_platform", f"{device.platform!r} is not known: {known}")
    if device.name not in running:
        raise InputError(f"running[{device.name}]", "its running configuration was not read")
    platform = platforms[device.platform]
    if not change.removes:
        return platform.render(change, fabric, device, running[device.name])
    if not isinstance(platform, RemovingPlatform):
        raise InputError(
            f"hostvars[{device.name}].stretchnet_platform",
            f"{device.platform}: a segment cannot be taken away by its running configuration yet",
            remedy="where its rollback point is there, use the playbook rollback, else take it away by hand",
        )
    return platform.remove(change, fabric, device, running[device.name])


def _refuse_two_route_targets(change: Change, devices: Iterable[Device], platforms: Mapping[str, Platform]) -> None:
    """Refuse a change without a route target whose devices would choose different ones: they would not connect.

    A platform with ``automatic_route_targets`` makes ASN:VNI by itself, the others are given VNI:VNI. Over an 802.1Q
    handoff no route crosses, so that only the devices of one site must agree.
    """
    if change.segment.route_target is not None or change.removes:
        return
    domains: dict[str, dict[bool, str]] = {}
    for device in devices:
        if device.role is not Role.SPINE and device.platform in platforms:
            by_site = change.segment.handoff.mode is HandoffMode.DOT1Q_TRUNK
            automatic = bool(getattr(platforms[device.platform], "automatic_route_targets", False))
            domains.setdefault(device.site if by_site else "", {}).setdefault(automatic, device.name)
    for ways in domains.values():
        if len(ways) > 1:
            raise InputError(
                "segment.route_target",
                f"is needed: {ways[True]} would take ASN:VNI and {ways[False]} VNI:VNI: they would not connect",
                remedy=f"name one for the whole segment, such as 65000:{change.segment.vni}",
            )


def _device_change(
    device: Device, platforms: Mapping[str, Platform], running: str, rendered: Rendered, diffs: Mapping[str, str]
) -> DeviceChange:
    return DeviceChange(
        device=device.name,
        platform=device.platform,
        apply=rendered.apply,
        inverse=rendered.inverse,
        diff=diffs[device.name] if not rendered.empty else "",
        running_digest=config_digest(running),
        can_arm=platforms[device.platform].can_arm,
        notes=rendered.notes,
    )


def _refuse_unarmed(plan: Plan, change: Change) -> None:
    refused = [c.device for c in plan.device_changes() if not c.can_arm and c.device not in change.accept_unarmed]
    if refused:
        raise InputError(
            "accept_unarmed",
            f"these devices cannot go back by themselves: {', '.join(refused)}",
            remedy="leave them out of the segment, or name them in accept_unarmed and stand by with a console",
        )


def plan_text(plan: Plan) -> str:
    """Return the plan to be read by people: stages, devices, diffs and inverses."""
    lines = [f"Plan of change {plan.change_id} on fabric {plan.fabric}", f"digest {plan.digest}"]
    if plan.empty:
        return "\n".join([*lines, "Nothing to do: the fabric already is as the change wants it.", ""])
    for number, stage in enumerate(plan.stages, 1):
        state = "nothing to do" if stage.empty else f"{len(stage.devices)} device(s)"
        lines += ["", f"Stage {number}: {stage.name} ({state})"]
        for change in stage.changes:
            lines += _device_text(change)
    return "\n".join([*lines, ""])


def _device_text(change: DeviceChange) -> Iterator[str]:
    if change.empty:
        yield f"  {change.device} ({change.platform}): nothing to do"
    else:
        armed = "goes back by itself unless confirmed" if change.can_arm else "CANNOT GO BACK BY ITSELF"
        yield f"  {change.device} ({change.platform}): {armed}"
        for title, text in (("what the device will change", change.diff or change.apply), ("inverse", change.inverse)):
            yield f"    {title}:"
            yield from (f"      {line}" for line in text.strip("\n").splitlines())
    yield from (f"    note: {note}" for note in change.notes)


def device_diff(change: DeviceChange) -> dict[str, str]:
    """Return the change of one device in the form of a task's ``--diff``: before, after and their headers.

    The two texts are the removed and the added side of the device's own diff with the context that it shows; a diff
    without signs (some NOS list only the missing lines) counts as added.
    """
    lines = [line for line in change.diff.splitlines() if not line.startswith(("---", "+++", "@@"))]
    signed = any(line.startswith(("+", "-")) for line in lines)
    before = [line[1:] if line.startswith("-") else line for line in lines if signed and not line.startswith("+")]
    after = [line[1:] if signed and line.startswith("+") else line for line in lines if not line.startswith("-")]
    if not change.diff.strip():
        before, after = [], change.apply.splitlines()
    return {
        "before_header": f"{change.device} (running)",
        "after_header": f"{change.device} (planned)",
        "before": _joined(before),
        "after": _joined(after),
    }


def _joined(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
