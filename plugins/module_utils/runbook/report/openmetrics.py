# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The evidence as OpenMetrics 1.0 text.

Every family is a gauge: one run is one observation, and gauges alone are read alike by OpenMetrics
parsers and by the Prometheus text format of node_exporter's textfile collector. Every sample carries
``change_id``, so that files of several runs can stand side by side.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...model.evidence import Evidence
from ...model.measure import LossSummary
from ...model.printable import printable
from ...model.state import DeviceState
from ...model.verdict import Outcome
from . import view, words

_Sample = tuple[dict[str, object], float | int | None]


class _Writer:
    def __init__(self, change_id: str) -> None:
        self._change_id = change_id
        self.lines: list[str] = []

    def family(self, name: str, help_text: str, samples: list[_Sample], unit: str = "") -> None:
        """Write one family; a value of None was not measured and gives no sample."""
        known = [(labels, value) for labels, value in samples if value is not None]
        if not known:
            return
        name = f"stretchnet_{name}"
        self.lines.append(f"# TYPE {name} gauge")
        if unit:
            self.lines.append(f"# UNIT {name} {unit}")
        self.lines.append(f"# HELP {name} {_escape(help_text)}")
        for labels, value in known:
            pairs = {"change_id": self._change_id, **labels}
            body = ",".join(f'{key}="{_escape(str(text))}"' for key, text in pairs.items())
            self.lines.append(f"{name}{{{body}}} {_figure(value)}")

    def source(self) -> str:
        return "\n".join([*self.lines, "# EOF", ""])


def _escape(text: str) -> str:
    return printable(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _figure(value: float | int) -> str:
    return str(int(value)) if float(value).is_integer() else repr(round(float(value), 9))


def render(evidence: Evidence) -> str:
    """Return the text, ended by ``# EOF``."""
    writer = _Writer(evidence.change.change_id)
    _run(writer, evidence)
    _gates(writer, evidence)
    _probes(writer, evidence)
    _convergence(writer, evidence)
    _migration(writer, evidence)
    _devices(writer, evidence)
    return writer.source()


def _run(writer: _Writer, evidence: Evidence) -> None:
    segment = evidence.change.segment
    labels: dict[str, object] = {
        "fabric": evidence.fabric.name,
        "vlan_id": segment.vlan_id,
        "segment": segment.name,
        "vni": segment.vni,
        "owner": evidence.change.approval.owner,
        "plan_digest": evidence.versions.get("plan_digest", ""),
    }
    writer.family("run_info", "Which change on which fabric.", [(labels, 1)])
    outcomes: list[_Sample] = [({"outcome": o.name.lower()}, int(o is evidence.outcome)) for o in Outcome]
    writer.family("run_outcome", "1 for the outcome of the run.", outcomes)
    for name, text in (("start", evidence.started_at), ("end", evidence.finished_at)):
        when = words.instant_of(text)
        writer.family(
            f"run_{name}_timestamp_seconds",
            f"The {name} of the run.",
            [({}, when.timestamp() if when else None)],
            "seconds",
        )
    proven = evidence.rollback_proven
    writer.family(
        "rollback_proven",
        "1 where the restored state was compared and nothing of the change is left.",
        [({}, None if proven is None else int(proven))],
    )
    writer.family("rollback_differences", "Differences left after a rollback.", [({}, len(evidence.differences))])


def _gates(writer: _Writer, evidence: Evidence) -> None:
    def name(index: int) -> dict[str, object]:
        return {"gate": evidence.gates[index].gate, "index": index}

    gates = list(enumerate(evidence.gates))
    writer.family("gate_open", "1 where the gate opened.", [(name(i), int(gate.open)) for i, gate in gates])
    writer.family(
        "gate_findings",
        "Findings of the gate by verdict.",
        [
            ({**name(i), "verdict": weight}, count)
            for i, gate in gates
            for weight, count in view.tally(gate.findings).items()
        ],
    )
    took: list[_Sample] = [(name(i), gate.duration_s) for i, gate in gates]
    writer.family("gate_duration_seconds", "How long the gate took.", took, "seconds")
    outside = view.tally(evidence.findings)
    writer.family(
        "findings",
        "Findings outside the gates by verdict.",
        [({"verdict": weight}, count) for weight, count in outside.items()] if evidence.findings else [],
    )


def _probes(writer: _Writer, evidence: Evidence) -> None:
    flows: list[tuple[dict[str, object], LossSummary]] = [
        ({"viewpoint": f.viewpoint, "target": f.target, "address": f.address, "protocol": f.protocol}, f.summary)
        for f in evidence.probes
    ]
    for name in ("sent", "lost", "late", "duplicates", "reordered"):
        writer.family(f"probes_{name}", f"Probes {name}.", [(labels, getattr(s, name)) for labels, s in flows])
    lost: list[_Sample] = [(labels, s.lost_at_1pps) for labels, s in flows]
    writer.family("probes_lost_at_1pps", "Pings lost at one a second, worst phase.", lost)
    gaps: list[_Sample] = [(labels, s.longest_gap.length_ms / 1000 if s.longest_gap else 0) for labels, s in flows]
    writer.family("probes_longest_gap_seconds", "Longest time without a reply.", gaps, "seconds")
    resolution: list[_Sample] = [(labels, s.resolution_ms / 1000) for labels, s in flows]
    writer.family("probes_resolution_seconds", "Interval of the probes that was reached.", resolution, "seconds")
    rtts: list[_Sample] = [
        ({**labels, "statistic": part}, _to_seconds(getattr(s, f"rtt_ms_{part}")))
        for labels, s in flows
        for part in ("p50", "p95", "p99", "max")
    ]
    writer.family("probes_rtt_seconds", "Round-trip time.", rtts, "seconds")


def _to_seconds(value_ms: float | None) -> float | None:
    return None if value_ms is None else value_ms / 1000


def _convergence(writer: _Writer, evidence: Evidence) -> None:
    points: list[tuple[dict[str, object], int]] = [
        ({"device": p.device, "table": p.table.value, "index": i}, i) for i, p in enumerate(evidence.convergence)
    ]
    found = evidence.convergence
    reached: list[_Sample] = [(labels, int(found[i].at_s is not None)) for labels, i in points]
    writer.family("convergence_reached", "1 where the table followed the workload.", reached)
    instants: list[_Sample] = [(labels, found[i].at_s) for labels, i in points]
    writer.family("convergence_seconds", "From the begin of the move until the table followed.", instants, "seconds")
    blur: list[_Sample] = [(labels, found[i].resolution_ms / 1000) for labels, i in points]
    writer.family("convergence_resolution_seconds", "Resolution of the figure above.", blur, "seconds")
    sequence: list[_Sample] = [(labels, found[i].sequence_after) for labels, i in points]
    writer.family("mobility_sequence", "MAC mobility sequence after the move (RFC 7432 7.7).", sequence)


def _migration(writer: _Writer, evidence: Evidence) -> None:
    move = evidence.migration
    if move is None:
        return
    labels: dict[str, object] = {"workload": move.workload, "source": move.source, "destination": move.destination}
    writer.family("migration_moved", "1 where the workload was moved.", [(labels, int(move.moved))])
    writer.family("migration_duration_seconds", "How long the move took.", [(labels, move.duration_s)], "seconds")
    pause = _to_seconds(move.downtime_ms)
    writer.family("migration_downtime_seconds", "How long the guest was paused.", [(labels, pause)], "seconds")


def _devices(writer: _Writer, evidence: Evidence) -> None:
    states = list(_moments(evidence))
    cpu: list[_Sample] = [(labels, _cpu_ratio(state)) for labels, state in states]
    writer.family("device_cpu_ratio", "CPU use of the device.", cpu, "ratio")
    memory: list[_Sample] = [
        (labels, state.resources.memory_used_bytes if state.resources else None) for labels, state in states
    ]
    writer.family("device_memory_used_bytes", "Memory in use.", memory, "bytes")
    peers: list[_Sample] = [
        (labels, None if state.bgp_peers is None else sum(p.established is True for p in state.bgp_peers))
        for labels, state in states
    ]
    writer.family("device_bgp_sessions_established", "BGP sessions that are up.", peers)


def _moments(evidence: Evidence) -> Iterator[tuple[dict[str, object], DeviceState]]:
    for moment, found in (("baseline", evidence.baseline), ("after", evidence.after)):
        for state in found:
            yield {"device": state.device, "moment": moment}, state


def _cpu_ratio(state: DeviceState) -> float | None:
    if state.resources is None or state.resources.cpu_percent is None:
        return None
    return state.resources.cpu_percent / 100
