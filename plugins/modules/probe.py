# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure loss and gaps from the host on which it runs."""

from __future__ import annotations

DOCUMENTATION = r"""
module: probe
short_description: Measure loss, gaps and round-trip times from a host
version_added: 0.1.0
description:
  - Sends probes on an absolute schedule from the host on which it runs, for a number of seconds, and returns counts and gaps.
  - These are ICMP or ICMPv6 echo, UDP echo, ARP requests or neighbour solicitations, or lines over one TCP connection that is kept.
  - Replies carry the kernel's time of arrival. Lost, late, duplicate and reordered replies are counted apart.
  - Fails when nothing could be sent; that is no measurement of zero loss.
author:
  - The stretchnet.fabric authors (@stretchnet)
extends_documentation_fragment:
  - stretchnet.fabric.attributes
attributes:
  check_mode:
    support: full
    details:
      - Measures in check mode too; nothing is changed by it.
  diff_mode:
    support: none
  idempotent:
    support: full
    details:
      - Never changes anything, though the figures differ from run to run.
  writes_devices:
    support: none
  measures_traffic:
    support: full
options:
  address:
    description: IPv4 or IPv6 address to probe.
    type: str
    required: true
  probe:
    description:
      - What is sent.
      - V(neighbor) asks for the owner of the address by ARP (IPv4) or by neighbour solicitation (IPv6), as a host that does not know it.
      - V(udp) needs an echo service at O(port), and V(tcp) a service that answers each line with a line, such as echo (RFC 862).
    type: str
    choices: [icmp, udp, neighbor, tcp]
    default: icmp
  port:
    description: Port of the UDP or TCP service, 1 to 65535.
    type: int
    default: 7
  rate:
    description: Packets per second, 1 to 1000.
    type: int
    default: 100
  seconds:
    description: How long to measure, 1 to 3600 seconds.
    type: int
    default: 10
  size:
    description: Bytes of ICMP or UDP payload, 16 to 9000.
    type: int
    default: 56
  source:
    description: Source address.
    type: str
  interface:
    description: Interface by which to send.
    type: str
  series:
    description: Return every single probe as well.
    type: bool
    default: false
seealso:
  - module: stretchnet.fabric.migrate
"""

EXAMPLES = r"""
- name: Ping the gateway a hundred times a second for ten seconds
  stretchnet.fabric.probe:
    address: 10.10.10.1
  register: gateway

- name: Keep a TCP connection to the workload for a minute, ten lines a second
  stretchnet.fabric.probe:
    address: 10.10.10.11
    probe: tcp
    port: 7
    rate: 10
    seconds: 60

- name: Does the gateway answer to ARP
  stretchnet.fabric.probe:
    address: 10.10.10.1
    probe: neighbor
    interface: eth1

- name: Nothing may be lost
  ansible.builtin.assert:
    that: gateway.summary.lost == 0
"""

RETURN = r"""
summary:
  description: Counts, the longest gap with its resolution, and percentiles of the round-trip time.
  returned: success
  type: dict
  sample:
    sent: 1000
    lost: 13
    late: 0
    duplicates: 0
    reordered: 0
    longest_gap: {start_s: 3.21, length_ms: 142.7, lost: 13}
    lost_at_1pps: 1
    resolution_ms: 10.1
    rtt_ms_p50: 0.23
connection:
  description: Whether the TCP connection lived, else when (in seconds since the first probe) and why it ended, and segments sent again.
  returned: when O(probe=tcp)
  type: dict
  sample: {lived: true, ended_s: null, reason: null, retransmitted: 3}
probes:
  description: Sequence number, time of sending in seconds since the first, and round-trip time of every probe.
  returned: when O(series=true)
  type: list
  elements: dict
"""

import io
import ipaddress
import typing

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.codec import encode
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import StretchnetError
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes import summary
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes.programs import icmp, neighbor, tcp, udp

LIMITS = {"rate": (1, 1000), "seconds": (1, 3600), "size": (16, 9000), "port": (1, 65535)}
SENDERS: dict[str, typing.Any] = {
    "icmp": (icmp.Pinger, icmp.parse),
    "udp": (udp.UdpSender, udp.parse),
    "neighbor": (neighbor.NeighborSender, neighbor.parse),
    "tcp": (tcp.TcpSender, tcp.parse),
}


def check(module: AnsibleModule) -> None:
    """Refuse what is out of bounds before anything is sent."""
    for name, (low, high) in LIMITS.items():
        if not low <= module.params[name] <= high:
            module.fail_json(msg=f"{name}: {module.params[name]} is not in {low}..{high}")
    for name in ("address", "source"):
        value = module.params[name]
        try:
            ipaddress.ip_address((value or "::").partition("%")[0])
        except ValueError:
            module.fail_json(msg=f"{name}: {value!r} is not an address")


def measure(params: dict[str, typing.Any]) -> dict[str, typing.Any]:
    """Send for the time that is asked for, and sum up."""
    arguments = [params["address"], "--pps", str(params["rate"]), "--seconds", str(params["seconds"])]
    arguments += ["--size", str(params["size"])]
    if params["probe"] in ("udp", "tcp"):
        arguments += ["--port", str(params["port"])]
    for name in ("source", "interface"):
        if params[name]:
            arguments += [f"--{name}", params[name]]
    out = io.StringIO()
    sender, parse = SENDERS[params["probe"]]
    sender(parse(arguments), out).run()
    probes = summary.read_series(out.getvalue())
    result = {"changed": False, "summary": encode(summary.summarize(probes, params["rate"]))}
    zero_s = probes[0].sent_s
    if params["probe"] == "tcp":
        result["connection"] = encode(summary.read_connection(out.getvalue(), -zero_s))
    if params["series"]:
        result["probes"] = [{**encode(probe), "sent_s": probe.sent_s - zero_s} for probe in probes]
    gap = result["summary"]["longest_gap"]
    if gap:
        gap["start_s"] -= zero_s
    return result


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={
            "address": {"type": "str", "required": True},
            "probe": {"type": "str", "choices": list(SENDERS), "default": "icmp"},
            "port": {"type": "int", "default": 7},
            "rate": {"type": "int", "default": 100},
            "seconds": {"type": "int", "default": 10},
            "size": {"type": "int", "default": 56},
            "source": {"type": "str"},
            "interface": {"type": "str"},
            "series": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    check(module)
    try:
        result = measure(module.params)
    except StretchnetError as exc:
        module.fail_json(msg=str(exc))
    except OSError as exc:
        what = f"{module.params['probe']} to {module.params['address']}"
        module.fail_json(msg=f"cannot send {what}: {exc}; icmp and neighbor need root or CAP_NET_RAW")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
