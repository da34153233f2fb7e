# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cisco IOS-XE on Catalyst 9000 (``ios``, as NAPALM names it)."""
