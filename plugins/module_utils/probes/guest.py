# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guest's own view: its echo as its tap saw it, and who it says it is."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from ..model.errors import WRONG_SHAPE, DeviceError, ProbeError, UnreachableError
from ..model.measure import ProbeSeries
from ..model.printable import printable_line
from ..model.state import IPAddress
from . import summary
from .flows import now
from .host import Host
from .remote import BackgroundProgram

AGENT_PORT = 7777
START_TIMEOUT_S = 30.0
#: Speaks one line with the guest's agent; runs on the viewpoint, which stands in the guest's segment.
_ASK = (
    "import socket,sys\n"
    "s=socket.create_connection((sys.argv[1],int(sys.argv[2])),5)\n"
    "s.settimeout(20)\n"
    "s.sendall((sys.argv[3]+'\\n').encode())\n"
    "b=b''\n"
    "while not b.endswith(b'\\n') and len(b)<65536:\n"
    "    p=s.recv(65536)\n"
    "    if not p: break\n"
    "    b+=p\n"
    "print(b.decode(errors='replace'))\n"
)
#: So much of an answer is quoted in an error.
_QUOTED = 200


class GuestStatus(NamedTuple):
    """Who the guest says it is: ``identity`` is made at its start, ``counter`` only grows."""

    identity: str
    counter: int
    uptime_s: float

    def same_as(self, earlier: GuestStatus) -> bool:
        """Say whether this is the same running guest, later."""
        return self.identity == earlier.identity and self.counter >= earlier.counter


class GuestAgent:
    """The resident process of a guest, asked through a host of its segment."""

    def __init__(self, host: Host, address: IPAddress, port: int = AGENT_PORT) -> None:
        self._host, self._address, self._port = host, address, port

    def status(self) -> GuestStatus:
        """Ask who the guest is; DeviceError where it does not answer, or not that."""
        answer = self.ask("status")
        try:
            return GuestStatus(_identity(answer["id"]), int(answer["counter"]), float(answer["uptime_s"]))
        except WRONG_SHAPE as exc:
            raise DeviceError(
                f"the guest's agent does not say who it is ({type(exc).__name__})",
                device=self._host.name,
                command="status",
            ) from exc

    def ask(self, line: str) -> dict[str, Any]:
        """Send one command; return the answer.

        Raises:
            DeviceError: no answer, or the guest refused.
        """
        text = self._answer(line)
        try:
            answer = json.loads(text)
        except WRONG_SHAPE as exc:
            raise DeviceError("the guest's agent gave no JSON", device=self._host.name, command=line) from exc
        if not isinstance(answer, dict) or "error" in answer:
            said = printable_line(text[:_QUOTED].strip())
            raise DeviceError(f"the guest's agent refused: {said}", device=self._host.name, command=line)
        return answer

    def _answer(self, line: str) -> str:
        try:
            return self._host.run(["python3", "-c", _ASK, str(self._address), str(self._port), line])
        except DeviceError as exc:
            if isinstance(exc, UnreachableError):
                raise  # it is the viewpoint that is lost
            raise DeviceError(
                f"the guest's agent at {self._address} port {self._port} gave no answer ({exc.message})",
                device=self._host.name,
                command=line,
                remedy="see whether the guest runs, and whether the viewpoint reaches it",
            ) from exc


def _identity(value: object) -> str:
    if not isinstance(value, str) or not value or not value.isprintable():
        raise ValueError("the identity is no plain text")
    return value


class GuestFlow:
    """The guest pings; what counts is the replies on the wire at its tap, by the hypervisors' clocks.

    The guest's own clock stands still while it is paused, so its own count would hide the pause.
    """

    def __init__(
        self,
        agent: GuestAgent,
        hypervisors: Sequence[Host],
        source: IPAddress,
        target: str,
        address: IPAddress,
        pps: int,
        *,
        interface: str = "(vnet|tap).*",
        max_run_s: float = 300.0,
    ) -> None:
        self.name = f"workload to {target} ({address}), seen at its tap"
        self._agent, self._source, self._target = agent, source, target
        self._address, self._pps, self._max_run_s = address, pps, max_run_s
        arguments = ["--interface", interface]
        self._taps = [BackgroundProgram(host, "tap", arguments, max_run_s=max_run_s) for host in hypervisors]
        self._started_at = ""
        #: When the guest or its hypervisor announced the new place, on the axis, by kind.
        self.announced_s: dict[str, float] = {}

    def start(self) -> None:
        """Capture on both hypervisors and let the guest ping."""
        self._started_at = now()
        for tap in self._taps:
            tap.start()
        for tap in self._taps:
            tap.wait_for_output()
        seconds = min(int(self._max_run_s), 65536 // self._pps)
        self._agent.ask(f"ping {self._address} {self._pps} {seconds}")
        deadline_s = time.monotonic() + START_TIMEOUT_S
        asked = f" {self._source} {self._address}\n"
        while not any(" request " in line and line.endswith(asked) for tap in self._taps for line in tap.lines()):
            if time.monotonic() > deadline_s:
                raise ProbeError(
                    f"the guest's ping to {self._address} is not seen at any tap", device=self._taps[0].host.name
                )
            time.sleep(0.1)

    def steady(self) -> bool:
        """Say whether one of the taps saw replies in the last half second of what it recorded."""
        return any(self._recent_replies(tap) for tap in self._taps)

    def _recent_replies(self, tap: BackgroundProgram) -> bool:
        lines = [line.split() for line in summary.shift(tap.tail(), 0.0, self._recorder(tap))]
        stamps = [int(line[0]) for line in lines if line[3] == "reply" and line[7] == str(self._source)]
        requests = [int(line[0]) for line in lines if line[3] == "request" and line[6] == str(self._source)]
        return bool(stamps and requests) and abs(requests[-1] - stamps[-1]) < 500_000_000

    def stop(self, zero_s: float, end_s: float) -> ProbeSeries:
        """End and fetch; see EchoFlow.stop."""
        frames = self._collect(zero_s)
        probes = summary.tap_series(frames, str(self._source), str(self._address))
        counted = summary.summarize(probes, self._pps, pauses_count=True)
        # The guest's everyday ARP is no announcement: only what follows its pause counts.
        gap = counted.longest_gap
        self.announced_s = summary.announcements(frames, max(gap.start_s if gap else 0.0, 0.0))
        error_ms = max(tap.clock.error_s for tap in self._taps) * 1000
        notes = [f"replies at the tap; clocks of the hypervisors known within {error_ms:.2f} ms"]
        notes += [f"first {kind} from the workload at {at_s:.3f} s" for kind, at_s in sorted(self.announced_s.items())]
        return ProbeSeries(
            viewpoint="workload",
            target=self._target,
            address=self._address,
            protocol="icmp" if self._address.version == 4 else "icmpv6",
            pps=self._pps,
            started_at=self._started_at,
            probes=probes,
            summary=counted,
            notes=tuple(notes),
            phases=summary.phases(probes, self._pps, 0.0, end_s),
        )

    def _collect(self, zero_s: float) -> list[str]:
        frames: list[str] = []
        for tap, text in zip(self._taps, self._end(), strict=True):
            frames += summary.shift(text, tap.clock.offset_s - zero_s, self._recorder(tap))
        return sorted(frames, key=lambda line: int(line.split(" ", 1)[0]))

    def _end(self) -> list[str]:
        with contextlib.suppress(DeviceError):  # unreachable now: its run is limited, the capture is what counts
            self._agent.ask(f"stop {self._address.version}")
        return [tap.collect() for tap in self._taps]

    @staticmethod
    def _recorder(tap: BackgroundProgram) -> str:
        return f"the capture on {tap.host.name}"

    def abandon(self) -> None:
        """End and remove everything without a result."""
        self._end()
