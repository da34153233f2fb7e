# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Floor 2: the verbs. Knows floor 1 only through the protocols in ports.py."""
