# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which unit tests are slow: ``make unit`` answers within a minute, ``make test-slow`` and ``make coverage`` run these as well."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

#: Examples of each property that names no number of its own; more with STRETCHNET_EXAMPLES=1000.
#: How long an example takes is no fault of it: the machine may be busy.
settings.register_profile(
    "house",
    max_examples=int(os.environ.get("STRETCHNET_EXAMPLES", "40")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("house")

HERE = Path(__file__).resolve().parent
#: Files whose tests start programs or servers of their own, wait, or play many histories, with what costs the time.
SLOW = {
    "actions/test_actions_approval.py": "ansible-playbook, at terminals of its own",
    "actions/test_actions_design.py": "ansible-playbook",
    "actions/test_actions_measure.py": "ansible-playbook",
    "actions/test_actions_rehearsal.py": "ansible-playbook",
    "awx/test_awx_setup.py": "ansible-playbook, a module for each object",
    "cores/test_cores_traps.py": "ansible-playbook",
    "house/test_house_ansible_doc.py": "ansible-doc",
    "hypervisors/test_hypervisors_vsphere.py": "builds and starts a vCenter simulator",
    "ipam/test_ipam_netbox.py": "an HTTP server on loopback, that is slow, silent or without end",
    "ipam/test_ipam_playbook.py": "ansible-playbook",
    "mixed/test_mixed_more_leaves.py": "eight switches over real sockets, gates that settle",
    "mixed/test_mixed_playbooks.py": "ansible-playbook on seven switches over real sockets",
    "mixed/test_mixed_runbook.py": "six switches over real sockets, gates that settle",
    "platforms/eos/test_eos_https.py": "answers dealt out over real sockets up to a time limit",
    "platforms/eos/test_eos_session.py": "a switch over real sockets, timers that run out",
    "platforms/eos/test_eos_session_ssh.py": "a switch over real sockets, timers that run out",
    "platforms/ios/test_ios_session.py": "a switch over real sockets, timers that run out",
    "platforms/junos/test_junos_session.py": "a switch over real sockets, timers that run out",
    "platforms/nxos/test_nxos_https.py": "answers dealt out over real sockets up to a time limit",
    "platforms/nxos/test_nxos_session.py": "a switch over real sockets, timers that run out",
    "platforms/sonic/test_sonic_session.py": "the device's scripts in a real shell",
    "platforms/test_platforms_faults.py": "every switch over real sockets, sessions that break",
    "platforms/test_platforms_removal.py": "a switch over real sockets for each platform",
    "probes/test_probes_flows.py": "flows over real sockets, as long as they last",
    "report/test_report_browser.py": "Chromium",
    "report/test_report_callback.py": "ansible-playbook at a terminal of its own",
    "report/test_report_forms.py": "whole reports, in each form",
    "report/test_report_page.py": "whole pages, drawn and read back",
    "report/test_report_timeline.py": "long series, drawn",
    "runner/test_runner_jobs.py": "ansible-runner, ansible-playbook",
    "scale/test_scale_bounds.py": "64 switches over real sockets",
    "scale/test_scale_tables.py": "every step is counted",
    "security/test_security_devices.py": "hostile answers by the hundred",
    "security/test_security_hypervisors.py": "hostile answers by the hundred",
    "security/test_security_input.py": "documents that are weapons",
    "security/test_security_netbox.py": "hostile answers by the hundred",
    "stores/test_stores_s3.py": "an S3 server on loopback",
    "stores/test_stores_sequence.py": "git, an S3 server on loopback, controllers that race",
    "transaction/test_transaction_mixed.py": "three switches over real sockets, a controller that is killed",
    "transaction/test_transaction_simulation.py": "tens of thousands of histories",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of the slow files; tests elsewhere are marked where they stand."""
    for item in items:
        if item.path.is_relative_to(HERE) and str(item.path.relative_to(HERE)) in SLOW:
            item.add_marker(pytest.mark.slow)
