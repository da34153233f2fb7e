# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cisco NX-OS (Nexus 9000, 3000), over NX-API (``nxos``) and SSH (``nxos_ssh``)."""
