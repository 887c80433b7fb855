"""Register the class migrations of a script."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi.dynamic import Resource

from flowflare.kinds.durable_object_migrations.apply import DurableObjectMigrationsProvider
from flowflare.kinds.workers_script.declare import Upload
from flowflare.model.class_migrations import ClassMigration, to_wire
from flowflare.model.class_neighbours import ClassNeighbours


class DurableObjectMigrations(Resource, module="flowflare", name="DurableObjectMigrations"):
    """The class migrations of a script, which is uploaded when one is missing.

    Args:
        upload: what an upload of the script needs.
        allow_data_loss: why classes may be deleted or moved; None if they may not.
        neighbours: the stack's other scripts, as needed for classes.
        database_id: the database that the script binds.
        bindings: what the script binds before its clients exist, in the API's form.
        history: all class migrations, oldest first.

    Attributes:
        migration_tag: the tag of the last class migration, which is live.
    """

    migration_tag: pulumi.Output[str]

    def __init__(  # noqa: PLR0913 -- the arguments of one resource
        self,
        name: str,
        *,
        upload: Upload,
        allow_data_loss: str | None,
        neighbours: ClassNeighbours,
        database_id: pulumi.Input[str],
        bindings: Sequence[Mapping[str, Any]],
        history: Sequence[ClassMigration],
        opts: pulumi.ResourceOptions,
    ) -> None:
        props = {
            **upload,
            **neighbours.props(),
            "allow_data_loss": allow_data_loss,
            "database_id": database_id,
            "bindings": list(bindings),
            "history": to_wire(history),
            "migration_tag": None,
        }
        super().__init__(DurableObjectMigrationsProvider(), name, props, opts)
