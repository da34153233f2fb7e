# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: advise
short_description: Stretch or route, with reasons and with the name of whoever chooses otherwise
version_added: 0.1.0
description:
  - Compares the ways to bring a workload to another site. Stretched VLAN by EVPN or by 802.1Q over DWDM, host routes without a stretch,
    LISP, the layer-2 VPN of the hypervisor, and the cold move with a new address.
  - Says what each breaks and recommends the possible one of least cost (C(docs/when-not-to-stretch.md)).
  - What nobody has said counts against a way that depends on it, and comes back as a question.
  - Fails where another way than the recommended one is chosen and nobody has accepted the risk by name.
  - With O(change_id) the advice is kept in the run directory of the change, and the report shows the choice and who answers for it.
  - It needs neither a fabric nor a change that has begun, and talks to no device.
author:
  - The stretchnet.fabric authors (@stretchnet)
extends_documentation_fragment:
  - stretchnet.fabric.attributes
attributes:
  check_mode:
    support: full
    details:
      - Does the same; it changes no device.
  diff_mode:
    support: none
  idempotent:
    support: full
  writes_devices:
    support: none
  measures_traffic:
    support: none
options:
  workload:
    description: What is known of the workload. Leave out what nobody has said.
    type: dict
    required: true
    suboptions:
      name:
        description: What it is called.
        type: str
        required: true
      multicast:
        description: It needs multicast or broadcast between its members on both sites.
        type: bool
      shared_address:
        description: Its members share an address that moves by gratuitous ARP (VRRP, keepalived).
        type: bool
      fixed_address:
        description: Its address is written into clients or licences and cannot change.
        type: bool
      restart:
        description: It can be stopped and started.
        type: bool
      outage_s:
        description: How many seconds it may be away while it moves.
        type: float
      addresses:
        description: How many addresses it holds.
        type: int
      permanent:
        description: It is to be on both sites for ever, not only while it moves.
        type: bool
      non_ip:
        description: It speaks protocols below IP.
        type: bool
  place:
    description: What is known of the two sites. Leave out what nobody has said.
    type: dict
    suboptions:
      evpn:
        description: Both sites have EVPN on leaves and borders.
        type: bool
      host_routes:
        description: Leaves make host routes of ARP/ND entries or type-2 routes, and the outside takes /32 and /128.
        type: bool
      lisp:
        description: Both sites have LISP.
        type: bool
      hypervisor_l2vpn:
        description: The hypervisor has a layer-2 VPN of its own.
        type: bool
      dark_fibre:
        description: There is a circuit that carries Ethernet.
        type: bool
      rtt_ms:
        description: Round-trip time between the sites, in milliseconds.
        type: float
      racks:
        description: Over how many racks the segment goes.
        type: int
      hosts:
        description: How many hosts the segment has.
        type: int
  chosen:
    description: The way that is chosen.
    type: str
    choices: [cold_move, host_routes, lisp, evpn_stretch, hypervisor_l2vpn, dot1q_stretch]
  accepted:
    description: Who accepts the risk of another way than the recommended one.
    type: dict
    suboptions:
      owner:
        description: Who accepts it.
        type: str
        required: true
      reason:
        description: Why.
        type: str
        required: true
      at:
        description: On which day. Today, unless it is given.
        type: str
  change_id:
    description: The change with which the advice is kept.
    type: str
  run_dir:
    description:
      - The folder under which each change keeps its run directory.
      - Defaults to the variable C(stretchnet_run_dir), else C(runs) in the current folder.
    type: path
seealso:
  - module: stretchnet.fabric.design_audit
"""

EXAMPLES = r"""
- name: Stretch or route
  stretchnet.fabric.advise:
    workload: {name: web01, restart: false, fixed_address: true, multicast: false, shared_address: false, non_ip: false}
    place: {evpn: true, host_routes: true}

- name: Stretch all the same
  stretchnet.fabric.advise:
    change_id: CHG-100
    workload: {name: web01, restart: false, fixed_address: true, multicast: false, shared_address: false, non_ip: false}
    place: {evpn: true, host_routes: true}
    chosen: evpn_stretch
    accepted:
      owner: jo.doe
      reason: the cluster's vendor supports nothing else until release 9
"""

RETURN = r"""
recommended:
  description: The way that is recommended; null where none is possible with what is known.
  returned: success
  type: str
  sample: host_routes
chosen:
  description: The way that is chosen.
  returned: success
  type: str
accepted:
  description: Who accepted the risk, why, and when. Null where what is recommended is chosen.
  returned: success
  type: dict
options:
  description: All ways, the best first.
  returned: success
  type: list
  elements: dict
  contains:
    way:
      description: The way.
      type: str
    possible:
      description: Whether it can be, by what is known.
      type: bool
    cost:
      description: Its price in points.
      type: int
    blockers:
      description: Why it cannot be.
      type: list
      elements: str
    breaks:
      description: Its price in words.
      type: list
      elements: str
questions:
  description: The facts that nobody has said.
  returned: success
  type: list
  elements: str
  sample: [place.lisp, workload.outage_s]
workload:
  description: The name of the workload.
  returned: success
  type: str
text:
  description: The advice to be read by people.
  returned: success
  type: str

error:
  description: What went wrong, in parts, when the task failed with a typed error.
  returned: failure
  type: dict
  sample:
    type: InputError
    message: another way than the recommended one is chosen
    path: accepted
"""
