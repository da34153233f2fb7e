# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""NAPALM's getters out of what Linux and FRR say. Pure: text in, NAPALM's dictionaries out."""
