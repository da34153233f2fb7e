# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The measuring programs: the folder is copied to a viewpoint as it is and run there (``python3 -m programs.icmp``)."""
