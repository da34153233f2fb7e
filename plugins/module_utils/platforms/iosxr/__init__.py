# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cisco IOS-XR: read only (borders and DWDM routers between the sites)."""
