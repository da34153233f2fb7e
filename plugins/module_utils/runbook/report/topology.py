# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The drawing of the fabric: sites, spines, leaves, borders, DWDM circuits, the stretched segment, the workload's way.

Sites stand side by side. The stretched segment is one bar that runs below all its sites, with a riser
to every device that carries it. A site with more leaves or spines than fit shows those that take part
in the change and says how many others there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ...model.change import Change, Workload
from ...model.evidence import Evidence
from ...model.fabric import Circuit, Device, Fabric, Role
from ...model.measure import Migration
from ...model.verdict import Outcome
from . import words
from .svg import Svg, points, shorten

BOX_WIDTH = 108.0
BOX_HEIGHT = 40.0
GUTTER = 14.0
PADDING = 16.0
CHANNEL = 196.0
TOP = 34.0
SPINE_Y = TOP + 22.0
LEAF_Y = SPINE_Y + 104.0
ROW = BOX_HEIGHT + 18.0
#: Border boxes stand at the height of the links, so that a circuit through a site crosses no box.
BORDER_Y = SPINE_Y + 52.0
BORDER_ROW = BOX_HEIGHT + 20.0
LEAF_ROWS = 2
BAR_HEIGHT = 24.0
HOST_WIDTH = 150.0
HOST_HEIGHT = 78.0


@dataclass
class _Panel:
    """One site: what is shown of it, and where its boxes stand."""

    name: str
    spines: list[Device]
    leaves: list[Device]
    borders: list[Device]
    hidden_spines: int
    hidden_leaves: int
    borders_left: bool
    columns: int
    x: float = 0.0
    width: float = 0.0
    places: dict[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def leaf_rows(self) -> int:
        return max(1, -(-(len(self.leaves) + bool(self.hidden_leaves)) // self.columns))

    @property
    def bottom(self) -> float:
        """The lower edge of the lowest box."""
        leaves = LEAF_Y + (self.leaf_rows - 1) * ROW + BOX_HEIGHT
        return max(leaves, _border_top(len(self.borders)) + max(0, len(self.borders) - 1) * BORDER_ROW + BOX_HEIGHT)


def _border_top(count: int) -> float:
    return max(SPINE_Y, BORDER_Y - (count - 1) * BORDER_ROW / 2)


def draw(evidence: Evidence) -> str:
    """Return the drawing as SVG source."""
    change, fabric = evidence.change, evidence.fabric
    carrying = carriers(evidence)
    panels = _panels(fabric, carrying)
    bottom = max(panel.bottom for panel in panels)
    x = 8.0
    for panel in panels:
        panel.x = x
        _place(panel)
        x += panel.width + CHANNEL
    bar_y = bottom + 40
    workload = change.workload
    height = bar_y + BAR_HEIGHT + (HOST_HEIGHT + 108 if workload else 26)
    width = panels[-1].x + panels[-1].width + 8
    svg = Svg(width, height, f"Fabric {fabric.name}", _describe(evidence, carrying), "topology")
    places = {name: place for panel in panels for name, place in panel.places.items()}
    for panel in panels:
        svg.rect(panel.x, TOP - 26, panel.width, bottom - TOP + 44, "site", rx=8)
        name_x = panel.x + (panel.width - PADDING if panel.borders_left else PADDING)
        svg.text(name_x, TOP - 4, panel.name, "site-name", anchor="end" if panel.borders_left else "start")
    _draw_links(svg, fabric, places)
    _draw_circuits(svg, evidence, panels, places)
    _draw_bar(svg, evidence, panels, carrying, bar_y)
    _draw_devices(svg, fabric, panels, places, carrying)
    if workload is not None:
        _draw_workload(svg, evidence, workload, panels, places, bar_y)
    return svg.source()


def carriers(evidence: Evidence) -> frozenset[str]:
    """Return the devices that carry the segment: planned, attached, or the workload's leaf."""
    names = {attachment.device for attachment in evidence.change.segment.attachments}
    if evidence.plan is not None:
        names |= {change.device for change in evidence.plan.device_changes()}
    workload = evidence.change.workload
    if workload is not None:
        names |= {leaf for leaf in (workload.source_leaf, workload.destination_leaf) if leaf}
    return frozenset(names & {device.name for device in evidence.fabric.devices})


def circuits_of(change: Change, fabric: Fabric) -> frozenset[str]:
    """Return the circuits that the segment crosses: the named ones, else all between its sites."""
    if change.segment.handoff.circuits:
        return frozenset(change.segment.handoff.circuits)
    site = {device.name: device.site for device in fabric.devices}
    sites = set(change.segment.sites)
    return frozenset(
        c.name
        for c in fabric.circuits
        if site[c.a_device] != site[c.z_device] and {site[c.a_device], site[c.z_device]} <= sites
    )


def _describe(evidence: Evidence, carrying: frozenset[str]) -> str:
    change = evidence.change
    circuits = ", ".join(sorted(circuits_of(change, evidence.fabric))) or "no circuit"
    text = (
        f"VLAN {change.segment.vlan_id} {change.segment.name}, VNI {change.segment.vni}, stretched over "
        f"{', '.join(change.segment.sites)} by {circuits}; "
        f"carried by {', '.join(sorted(carrying)) or 'no device'}."
    )
    if change.workload is not None:
        text += f" Workload {change.workload.name} from {change.workload.source} to {change.workload.destination}."
    return text


# --- layout ----------------------------------------------------------------------------------------


def _panels(fabric: Fabric, carrying: frozenset[str]) -> list[_Panel]:
    most = 4 if len(fabric.sites) <= 2 else 2
    panels: list[_Panel] = []
    for index, site in enumerate(fabric.sites):
        spines = list(fabric.select(site=site.name, role=Role.SPINE))
        leaves = sorted(fabric.select(site=site.name, role=Role.LEAF), key=lambda device: device.name not in carrying)
        columns = max(1, min(most, max(len(spines), len(leaves))))
        shown_spines = spines if len(spines) <= columns else spines[: columns - 1]
        shown_leaves = leaves if len(leaves) <= columns * LEAF_ROWS else leaves[: columns * LEAF_ROWS - 1]
        panels.append(
            _Panel(
                name=site.name,
                spines=shown_spines,
                leaves=shown_leaves,
                borders=list(fabric.select(site=site.name, role=Role.BORDER)),
                hidden_spines=len(spines) - len(shown_spines),
                hidden_leaves=len(leaves) - len(shown_leaves),
                borders_left=index > 0 and index == len(fabric.sites) - 1,
                columns=columns,
            )
        )
    return panels


def _place(panel: _Panel) -> None:
    """Fill in the top left corner of every box; borders stand in a column on the side of the circuits."""
    fabric_width = panel.columns * (BOX_WIDTH + GUTTER) - GUTTER
    border_width = BOX_WIDTH + 2 * GUTTER if panel.borders else 0.0
    panel.width = fabric_width + border_width + 2 * PADDING
    left = panel.x + PADDING + (border_width if panel.borders_left else 0.0)
    for devices, hidden, top in (
        (panel.spines, panel.hidden_spines, SPINE_Y),
        (panel.leaves, panel.hidden_leaves, LEAF_Y),
    ):
        total = len(devices) + bool(hidden)
        free = max(0.0, (panel.columns - total) * (BOX_WIDTH + GUTTER))
        for index, device in enumerate(devices):
            row, column = divmod(index, panel.columns)
            panel.places[device.name] = (left + free / 2 + column * (BOX_WIDTH + GUTTER), top + row * ROW)
    border_x = panel.x + PADDING if panel.borders_left else panel.x + panel.width - PADDING - BOX_WIDTH
    for index, device in enumerate(panel.borders):
        panel.places[device.name] = (border_x, _border_top(len(panel.borders)) + index * BORDER_ROW)


# --- drawing ---------------------------------------------------------------------------------------


def _draw_links(svg: Svg, fabric: Fabric, places: dict[str, tuple[float, float]]) -> None:
    for link in fabric.links:
        if link.a_device in places and link.z_device in places:
            upper, lower = sorted((places[link.a_device], places[link.z_device]), key=lambda place: place[1])
            svg.line(
                upper[0] + BOX_WIDTH / 2,
                upper[1] + BOX_HEIGHT,
                lower[0] + BOX_WIDTH / 2,
                lower[1],
                "link",
                tip=f"{link.a_device} {link.a_port} – {link.z_device} {link.z_port}",
            )


def _draw_circuits(
    svg: Svg, evidence: Evidence, panels: Sequence[_Panel], places: dict[str, tuple[float, float]]
) -> None:
    used = circuits_of(evidence.change, evidence.fabric)
    order = [panel.name for panel in panels]
    spread: dict[tuple[str, str], int] = {}
    far = 0
    for circuit in evidence.fabric.circuits:
        if circuit.a_device not in places or circuit.z_device not in places:
            continue
        a, z = sorted((circuit.a_device, circuit.z_device), key=lambda name: places[name][0])
        shift = spread.setdefault((a, z), 0)
        spread[(a, z)] += 1
        sites = [order.index(evidence.fabric.device(name).site) for name in (a, z)]
        if sites[1] - sites[0] > 1:
            far += 1
            _draw_far_circuit(svg, circuit, places[a], places[z], far, circuit.name in used)
        else:
            panel = panels[sites[0]]
            label_x = panel.x + panel.width + CHANNEL / 2
            _draw_circuit(svg, circuit, (places[a], places[z]), label_x, shift, circuit.name in used)


def _draw_circuit(
    svg: Svg,
    circuit: Circuit,
    ends: tuple[tuple[float, float], tuple[float, float]],
    middle: float,
    shift: int,
    used: bool,
) -> None:
    (x1, y1), (x2, y2) = ends
    y1, y2 = (y + BOX_HEIGHT / 2 + BORDER_ROW * shift for y in (y1, y2))
    svg.line(x1 + BOX_WIDTH, y1, x2, y2, "circuit used" if used else "circuit", tip=_circuit_facts(circuit))
    height = (y1 + y2) / 2
    svg.text(
        middle, height - 7, shorten(circuit.name, 24), "label strong", anchor="middle", tip=_circuit_facts(circuit)
    )
    svg.text(middle, height + 15, _circuit_figures(circuit), "tick", anchor="middle")
    svg.text(middle, height + 29, f"DWDM, MTU {circuit.mtu}", "tick", anchor="middle")


def _draw_far_circuit(
    svg: Svg, circuit: Circuit, left: tuple[float, float], right: tuple[float, float], lane: int, used: bool
) -> None:
    """Draw a circuit that passes over other sites as a line above them."""
    y = TOP - 26 - 2 + 7 * lane
    x1, x2 = left[0] + BOX_WIDTH * 0.7, right[0] + BOX_WIDTH * 0.3
    path = points([(x1, left[1]), (x1, y), (x2, y), (x2, right[1])])
    svg.path(path, "circuit used" if used else "circuit", tip=_circuit_facts(circuit))
    svg.text((x1 + x2) / 2, y + 13, f"{circuit.name} {_circuit_figures(circuit)}", "tick", anchor="middle")


def _circuit_figures(circuit: Circuit) -> str:
    figures = []
    if circuit.capacity_gbps is not None:
        figures.append(f"{circuit.capacity_gbps:g}G")
    if circuit.length_km is not None:
        figures.append(f"{circuit.length_km:g} km")
    if circuit.delay_ms is not None:
        figures.append(f"{circuit.delay_ms:g} ms")
    return " · ".join(figures)


def _circuit_facts(circuit: Circuit) -> str:
    ends = f"{circuit.a_device} {circuit.a_port} – {circuit.z_device} {circuit.z_port}"
    return ", ".join(part for part in (f"{circuit.name}: {ends}", circuit.provider, circuit.owner) if part)


def _draw_bar(svg: Svg, evidence: Evidence, panels: Sequence[_Panel], carrying: frozenset[str], y: float) -> None:
    """Draw the stretched segment and a riser to every device that carries it; dashed where it is not in place."""
    segment = evidence.change.segment
    of_segment = [panel for panel in panels if panel.name in segment.sites]
    if not of_segment:
        return
    left = min(panel.x for panel in of_segment) + 4
    right = max(panel.x + panel.width for panel in of_segment) - 4
    note = _not_in_place(evidence)
    css = "absent" if note else ""
    shown = {name for panel in panels for name in panel.places}
    for name in sorted(carrying & shown):
        svg.path(points(_riser(name, panels, y)), f"riser {css}", tip=f"{name} carries VLAN {segment.vlan_id}")
    svg.rect(left, y, right - left, BAR_HEIGHT, f"segment {css}", rx=BAR_HEIGHT / 2)
    text = f"VLAN {segment.vlan_id} {segment.name} · VNI {segment.vni}"
    if segment.gateway is not None:
        text += " · gateway " + " ".join(str(a) for a in (segment.gateway.ipv4, segment.gateway.ipv6) if a)
    svg.text((left + right) / 2, y + 16.5, text + note, f"segment-name {css}", anchor="middle")


def _not_in_place(evidence: Evidence) -> str:
    """Say why the segment is not drawn as one that is in place; empty: it is."""
    if evidence.outcome is Outcome.REVERTED:
        return " · taken back"
    if evidence.outcome is Outcome.NEEDS_PERSON:
        return " · state uncertain"
    planned = evidence.outcome is Outcome.UNCHANGED and evidence.plan is not None and not evidence.plan.empty
    return " · planned" if planned else ""


def _riser(name: str, panels: Sequence[_Panel], bar_y: float) -> list[tuple[float, float]]:
    """Return the way from a device down to the bar; past the leaves of a lower row it runs beside them."""
    places = next(panel.places for panel in panels if name in panel.places)
    x, top = places[name]
    foot, middle = top + BOX_HEIGHT, x + BOX_WIDTH / 2
    if not any(abs(other_x - x) < BOX_WIDTH and other_y > top for other_x, other_y in places.values()):
        return [(middle, foot), (middle, bar_y)]
    side = x + BOX_WIDTH + GUTTER / 2
    return [(middle, foot), (middle, foot + 7), (side, foot + 7), (side, bar_y)]


def _draw_devices(
    svg: Svg,
    fabric: Fabric,
    panels: Sequence[_Panel],
    places: dict[str, tuple[float, float]],
    carrying: frozenset[str],
) -> None:
    for device in fabric.devices:
        if device.name in places:
            x, y = places[device.name]
            css = f"device {device.role.value}" + (" carries" if device.name in carrying else "")
            svg.rect(x, y, BOX_WIDTH, BOX_HEIGHT, css, rx=5, tip=_device_facts(device))
            svg.text(x + BOX_WIDTH / 2, y + 17, shorten(device.name, 16), "label strong", anchor="middle")
            svg.text(x + BOX_WIDTH / 2, y + 32, _second_line(device), "tick", anchor="middle")
    for panel in panels:
        _draw_hidden(svg, panel)


def _second_line(device: Device) -> str:
    if device.vtep_ip is not None and len(str(device.vtep_ip)) <= 16:
        return str(device.vtep_ip)
    return f"{device.role.value} · {device.platform}"


def _device_facts(device: Device) -> str:
    facts = [device.name, device.role.value, device.platform]
    facts += [f"AS {device.asn}"] if device.asn else []
    facts += [f"VTEP {device.vtep_ip}"] if device.vtep_ip else []
    facts += [f"pair {device.pair}"] if device.pair else []
    return ", ".join(facts)


def _draw_hidden(svg: Svg, panel: _Panel) -> None:
    rows = ((panel.hidden_spines, "spine", panel.spines), (panel.hidden_leaves, "leaf", panel.leaves))
    for hidden, kind, shown in rows:
        if not hidden:
            continue
        x, y = panel.places[shown[-1].name] if shown else (panel.x + PADDING, SPINE_Y)
        x += BOX_WIDTH + GUTTER if shown else 0.0
        svg.rect(x, y, BOX_WIDTH, BOX_HEIGHT, "device hidden", rx=5)
        many = words.count(hidden, f"more {kind}", "more leaves" if kind == "leaf" else None)
        svg.text(x + BOX_WIDTH / 2, y + 24, f"+ {many}", "tick", anchor="middle")


# --- the workload ----------------------------------------------------------------------------------


def _draw_workload(
    svg: Svg,
    evidence: Evidence,
    workload: Workload,
    panels: Sequence[_Panel],
    places: dict[str, tuple[float, float]],
    bar_y: float,
) -> None:
    """Draw both hypervisors, the workload before and after, and the way it took."""
    y = bar_y + BAR_HEIGHT + 38
    move = evidence.migration
    source, destination = _ends(workload, move)
    before, after = (
        _host_x(leaf, panels, places, i * (len(panels) - 1)) for i, (_unused, leaf) in enumerate((source, destination))
    )
    if abs(after - before) < HOST_WIDTH + 40:
        aside = HOST_WIDTH + 60
        after = before + aside if before + aside + HOST_WIDTH < svg.width else before - aside
    moved = move is not None and move.moved
    _draw_host(svg, evidence, *source, before, y, bar_y, "before" if moved else "after")
    _draw_host(svg, evidence, *destination, after, y, bar_y, "after" if moved else "planned")
    _draw_guest(
        svg, workload.name, before, y, "guest before" if moved else "guest stays", "before" if moved else "runs here"
    )
    where = {True: "now here", False: "not moved" if move is not None else "planned"}[moved]
    _draw_guest(svg, workload.name, after, y, "guest after" if moved else "guest planned", where)
    _draw_arrow(svg, evidence, before, after, y + HOST_HEIGHT)


def _ends(workload: Workload, move: Migration | None) -> tuple[tuple[str, str | None], tuple[str, str | None]]:
    """Return (hypervisor, leaf) of both ends of the move as it was made: a rollback moves the other way."""
    source, destination = (workload.source, workload.source_leaf), (workload.destination, workload.destination_leaf)
    if move is not None and (move.source, move.destination) == (workload.destination, workload.source):
        return destination, source
    return source, destination


def _host_x(leaf: str | None, panels: Sequence[_Panel], places: dict[str, tuple[float, float]], default: int) -> float:
    if leaf in places and leaf is not None:
        return places[leaf][0] + BOX_WIDTH / 2 - HOST_WIDTH / 2
    panel = panels[default]
    return panel.x + panel.width / 2 - HOST_WIDTH / 2


def _draw_host(
    svg: Svg, evidence: Evidence, name: str, leaf: str | None, x: float, y: float, bar_y: float, css: str
) -> None:
    middle = x + HOST_WIDTH / 2
    svg.line(middle, bar_y + BAR_HEIGHT, middle, y, f"way {css}")
    svg.rect(x, y, HOST_WIDTH, HOST_HEIGHT, "host", rx=5)
    svg.text(middle, y + 19, shorten(name, 20), "label strong", anchor="middle", tip=name)
    ports = [a.port for a in evidence.change.segment.attachments if a.device == leaf]
    behind = f"behind {leaf}" + (f" {ports[0]}" if len(ports) == 1 else "") if leaf else "leaf not named"
    svg.text(middle + 8, bar_y + BAR_HEIGHT + 23, shorten(behind, 28), "tick", tip=behind)


def _draw_guest(svg: Svg, name: str, x: float, y: float, css: str, state: str) -> None:
    svg.rect(x + 10, y + 29, HOST_WIDTH - 20, 38, css, rx=19)
    svg.text(x + HOST_WIDTH / 2, y + 46, shorten(name, 18), "label strong", anchor="middle", tip=name)
    svg.text(x + HOST_WIDTH / 2, y + 60, state, "tick", anchor="middle")


def _draw_arrow(svg: Svg, evidence: Evidence, before: float, after: float, y: float) -> None:
    move = evidence.migration
    start, end = before + HOST_WIDTH / 2, after + HOST_WIDTH / 2
    depth = y + 34
    moved = move is not None and move.moved
    css = "move done" if moved else "move undone"
    svg.path(f"M{start:.1f} {y:.1f}C{start:.1f} {depth:.1f} {end:.1f} {depth:.1f} {end:.1f} {y + 7:.1f}", css)
    svg.path(points([(end, y + 1), (end - 5, y + 11), (end + 5, y + 11)], close=True), f"{css} head")
    svg.text((start + end) / 2, y + 46, _move_words(evidence), "label", anchor="middle")


def _move_words(evidence: Evidence) -> str:
    move = evidence.migration
    if move is None:
        return "move planned, not made in this run"
    if not move.moved:
        return f"✕ not moved: runs on {move.running_on or 'an unknown hypervisor'}"
    parts = [f"{move.method} move", words.seconds(move.duration_s)]
    if move.downtime_ms is not None:
        parts.append(f"guest paused {words.milliseconds(move.downtime_ms)}")
    return " · ".join(parts)
