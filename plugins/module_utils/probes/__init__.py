# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Floor 1: what the packets felt and what the tables said, measured while a workload moves."""
