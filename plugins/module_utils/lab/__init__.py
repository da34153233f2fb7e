# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two-site twin: a real EVPN-VXLAN fabric with hypervisors and a guest, on one Linux machine.

``up`` and ``down`` bring it up and take it down; ``circuit`` and ``fault`` change it while it runs;
``exec_in`` runs a command on a node. All need root. Every failure is a ``LabError`` with a remedy.
"""

from __future__ import annotations

from ..model.errors import LabError
from .dwdm import settings as circuit
from .faults import Fault, fault
from .lifecycle import PHASES, Options, Outcome, down, memory, up
from .node import exec_in
from .topology import Topology

__all__ = [
    "PHASES",
    "Fault",
    "LabError",
    "Options",
    "Outcome",
    "Topology",
    "circuit",
    "down",
    "exec_in",
    "fault",
    "memory",
    "up",
]
