# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Export the prefixes of NetBox as CSV."""

from __future__ import annotations

DOCUMENTATION = r"""
module: prefix_export
short_description: Export the prefixes of NetBox as CSV
version_added: 0.1.0
description:
  - Writes the prefixes of NetBox to a CSV file, with the very columns that NetBox's own export has (which only its web pages can make), or without loss.
  - The file is written beside its place and renamed, so that a reader never sees half of it, and only when it would differ.
  - The filters are compared with the schema of the server before they are used, because NetBox ignores a filter that it does not know and answers everything.
author:
  - The stretchnet.fabric authors (@stretchnet)
extends_documentation_fragment:
  - stretchnet.fabric.attributes
  - stretchnet.fabric.netbox
attributes:
  check_mode:
    support: full
    details:
      - Reads from NetBox, and writes no file.
  diff_mode:
    support: none
  idempotent:
    support: full
  writes_devices:
    support: none
  measures_traffic:
    support: none
options:
  dest:
    description: The file to write.
    type: path
    required: true
  form:
    description:
      - V(netbox) has the columns of NetBox's own export, in their order, then one for each visible custom field. A
        cell that a spreadsheet would take for a formula gets an apostrophe in front. Custom links are left out.
      - V(lossless) has every field of the API as JSON.
    type: str
    choices: [netbox, lossless]
    default: netbox
  filters:
    description: Filters of NetBox's C(/api/ipam/prefixes/), a list for several values.
    type: dict
    default: {}
seealso:
  - module: stretchnet.fabric.ipam_audit
"""

EXAMPLES = r"""
- name: Export the Active prefixes of one VRF
  stretchnet.fabric.prefix_export:
    netbox_url: https://netbox.example.org
    netbox_token: "{{ vault_netbox_token }}"
    dest: /srv/reports/prefixes.csv
    filters:
      status: active
      vrf: "65000:1"
  delegate_to: localhost

- name: Keep everything
  stretchnet.fabric.prefix_export:
    dest: /srv/archive/prefixes.csv
    form: lossless
"""

RETURN = r"""
dest:
  description: The file.
  returned: success
  type: str
count:
  description: How many prefixes it holds.
  returned: success
  type: int
"""

import typing
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.stretchnet.fabric.plugins.module_utils.ipam.access import access_of
from ansible_collections.stretchnet.fabric.plugins.module_utils.ipam.export import export_text
from ansible_collections.stretchnet.fabric.plugins.module_utils.ipam.netbox import NetBox
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.errors import StretchnetError
from ansible_collections.stretchnet.fabric.plugins.module_utils.stores.files import write_whole


def run(params: dict[str, typing.Any], check_mode: bool) -> dict[str, typing.Any]:
    """Read, compare with the file, and write it where it differs."""
    text, count = export_text(NetBox(access_of(params)), params["form"], params["filters"])
    dest = Path(params["dest"])
    changed = not dest.is_file() or dest.read_bytes() != text.encode()
    if changed and not check_mode:
        write_whole(dest, text)
    return {"changed": changed, "dest": str(dest), "count": count}


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={
            "netbox_url": {"type": "str"},
            "netbox_token": {"type": "str", "no_log": True},
            "netbox_ca_file": {"type": "path"},
            "netbox_timeout_s": {"type": "float"},
            "netbox_allow_http": {"type": "bool", "default": False},
            "dest": {"type": "path", "required": True},
            "form": {"type": "str", "choices": ["netbox", "lossless"], "default": "netbox"},
            "filters": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    try:
        result = run(module.params, module.check_mode)
    except StretchnetError as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
