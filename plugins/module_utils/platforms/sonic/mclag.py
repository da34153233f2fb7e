# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read SONiC's MCLAG pair, as iccpd tells it."""

from __future__ import annotations

import re

from ...model.state import Fact, Multihoming
from ..reading import Answer, Facts, address

_LAST = "MCLAG Interface"


def state(answer: Answer) -> Facts:
    """``mclagdctl [-i DOMAIN] dump state``: a pair is active where its keepalives arrive and its tables are in sync.

    Whether the port-channels of the pair are up it does not say.
    """
    part = dict(re.findall(r"^([A-Z][\w '/]*?) ?: *(.*?)\s*$", answer.text(), re.MULTILINE))
    alive = part.get("The MCLAG's keepalive is")
    if alive is None or _LAST not in part or "Role" not in part:
        raise answer.error("is of another command or cut: it has no line 'The MCLAG's keepalive is', or no interfaces")
    synchronised = part.get("MCLAG info sync is")
    link, domain = part.get("Peer Link Interface"), part.get("Domain id")
    found = Multihoming(
        technology="mclag",
        active=alive == "OK" and synchronised in (None, "completed"),
        peer_link=link if link != "Unknown" else None,
        peer_address=address(part.get("Peer Ip")),
        role=part["Role"].lower(),
        domain=domain if domain != "Unknown" else None,
    )
    return {Fact.MULTIHOMING: found}
