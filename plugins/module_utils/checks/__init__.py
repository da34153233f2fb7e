# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operational checks: one class per check, judged on typed states, never on a device.

To add a check, add a class to a module of this folder: the registry finds it.
"""
