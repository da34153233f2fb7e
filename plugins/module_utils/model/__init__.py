# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Floor 0: the nouns of the house. Imports nothing but the standard library."""
