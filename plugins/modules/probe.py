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
  - Sends ICMP or ICMPv6 echo on an absolute schedule from the host on which it runs, for a number of seconds, and returns counts and gaps.
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
    description: IPv4 or IPv6 address to ping.
    type: str
    required: true
  rate:
    description: Packets per second, 1 to 1000.
    type: int
    default: 100
  seconds:
    description: How long to measure, 1 to 3600 seconds.
    type: int
    default: 10
  size:
    description: Bytes of ICMP payload, 16 to 9000.
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
from ansible_collections.stretchnet.fabric.plugins.module_utils.probes import icmp, summary

LIMITS = {"rate": (1, 1000), "seconds": (1, 3600), "size": (16, 9000)}


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
    for name in ("source", "interface"):
        if params[name]:
            arguments += [f"--{name}", params[name]]
    out = io.StringIO()
    pinger = icmp.Pinger(icmp.parse(arguments), out)
    pinger.run()
    probes = summary.read_series(out.getvalue())
    result = {"changed": False, "summary": encode(summary.summarize(probes, params["rate"]))}
    if params["series"]:
        zero_s = probes[0].sent_s
        result["probes"] = [{**encode(probe), "sent_s": probe.sent_s - zero_s} for probe in probes]
    gap = result["summary"]["longest_gap"]
    if gap:
        gap["start_s"] -= probes[0].sent_s
    return result


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={
            "address": {"type": "str", "required": True},
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
        module.fail_json(msg=f"cannot send ICMP to {module.params['address']}: {exc}; root or CAP_NET_RAW is needed")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
