# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The light of the DWDM circuits: tables of lanes, then and now."""

from __future__ import annotations

import pytest
from ansible_collections.stretchnet.fabric.plugins.module_utils.checks.optics import change_faults, lanes, margin_faults
from ansible_collections.stretchnet.fabric.plugins.module_utils.model.state import OpticLane


def lane(**values):
    usual = {"rx_dbm": -8.0, "tx_dbm": 0.0, "rx_low_alarm_dbm": -18.0, "rx_high_alarm_dbm": 2.0, "osnr_db": 32.0}
    return OpticLane("Ethernet3", 1, **{**usual, "pre_fec_ber": 1e-5, **values})


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, None),
        ({"rx_dbm": -12.0}, "receive power has left its baseline"),  # 4 dB down, and still 6 dB above the low alarm
        ({"rx_dbm": -9.9}, None),
        ({"rx_dbm": -6.0}, "receive power has left its baseline"),
        ({"tx_dbm": -3.0}, "transmit power has left its baseline"),
        ({"osnr_db": 31.1}, None),
        ({"osnr_db": 31.0}, "OSNR has dropped"),
        ({"osnr_db": 35.0}, None),
        ({"pre_fec_ber": 1e-4}, None),
        ({"pre_fec_ber": 1.1e-4}, "bit error rate before correction has risen"),
        ({"rx_dbm": None, "osnr_db": None, "pre_fec_ber": None}, None),
    ],
)
def test_a_change_against_the_baseline(values, expected):
    found = [what for what, _expected, _found in change_faults(lane(), lane(**values))]
    assert found == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, None),
        ({"rx_dbm": -17.0}, None),
        ({"rx_dbm": -17.1}, "receive power is near or below its low alarm"),
        ({"rx_dbm": 2.5}, "receive power is above its high alarm"),
        ({"tx_dbm": -6.0, "tx_low_alarm_dbm": -6.0}, "transmit power is near or below its low alarm"),
        ({"tx_dbm": -6.0}, None),
        ({"pre_fec_ber": 2e-2}, "bit error rate before correction"),
    ],
)
def test_the_margin_to_the_alarms(values, expected):
    assert [what for what, _expected, _found in margin_faults(lane(**values))] == ([expected] if expected else [])


def test_lanes_of_a_port():
    assert lanes(None, "Ethernet3") == {}
