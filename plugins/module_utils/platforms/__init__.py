# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One folder per NOS, which holds all that is known of it; ``registry`` finds them."""
