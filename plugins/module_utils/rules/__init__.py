# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Design rules that argue with numbers, and the calculators they use. Pure: model in, findings out."""
