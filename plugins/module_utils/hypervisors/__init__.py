# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Floor 1: the hypervisor families. To add one, add a file and its line in registry.py."""
