# SPDX-FileCopyrightText: 2026 The stretchnet.fabric authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes NetBox's tables from its models, in seconds. Runs in NetBox's own virtual environment, on an empty database.

NetBox's 336 migrations take six to nine CPU-minutes on an empty database, and end where its models are. So the tables
are made from the models (Django's ``migrate --run-syncdb``), and of the migrations only those operations are run that
stand in no model: extensions and collations before, NetBox's own triggers after. Then they are recorded as applied.
What the migrations would fill in by themselves (module type profiles) is not there.
"""

from __future__ import annotations

import django

django.setup()

from django.apps import apps  # noqa: E402
from django.conf import settings  # noqa: E402
from django.contrib.postgres.operations import CreateCollation, CreateExtension  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.migrations.loader import MigrationLoader  # noqa: E402
from django.db.migrations.state import ProjectState  # noqa: E402

Operations = list[tuple[str, object]]


def operations() -> Operations:
    """Return (app, operation) of all migrations, in the order in which they would be applied."""
    loader = MigrationLoader(connection)
    graph = loader.graph
    keys = dict.fromkeys(key for leaf in graph.leaf_nodes() for key in graph.forwards_plan(leaf))
    return [(key[0], operation) for key in keys for operation in loader.get_migration(*key).operations]


def run(chosen: Operations) -> None:
    """Run operations that look at no model."""
    state = ProjectState()
    with connection.schema_editor() as editor:
        for app, operation in chosen:
            operation.database_forwards(app, editor, state, state)  # type: ignore[attr-defined]


def main() -> None:
    """Make the tables."""
    every = operations()
    run([(app, op) for app, op in every if isinstance(op, CreateCollation | CreateExtension)])
    settings.MIGRATION_MODULES = {config.label: None for config in apps.get_app_configs()}
    call_command("migrate", run_syncdb=True, interactive=False, verbosity=0)
    settings.MIGRATION_MODULES = {}
    run([(app, op) for app, op in every if not type(op).__module__.startswith("django.")])
    call_command("migrate", fake=True, interactive=False, verbosity=0)


if __name__ == "__main__":
    main()
