"""Describe Vectorize indexes, which are called and bound by their names."""

from typing import Any

from flowflare.emulator.envelope import Code
from flowflare.emulator.services.targets.target import Target, TargetKind

index_exists = Code(
    409,
    3002,
    "vectorize.index.duplicate_name",
    "a Vectorize index name that exists. The status is our interpretation.",
)
index_missing = Code(
    404,
    3000,
    "vectorize.index.not_found",
    "an unknown Vectorize index name. The code is our interpretation.",
)
index_in_binding = Code(
    400,
    10159,
    "Vectorize binding '{binding}' references index '{name}' which was not found",
    "a binding to an unknown Vectorize index.",
)


def _view(target: Target, _: object) -> dict[str, Any]:
    return {
        "name": target.name,
        "description": target.record.get("description") or "",
        "config": target.record.get("config") or {},
        "created_on": target.created_on,
        "modified_on": target.created_on,
    }


VECTORIZE = TargetKind(
    name="vectorize",
    words="Vectorize indexes",
    path="/vectorize/v2/indexes",
    called_by="name",
    binding="vectorize",
    bound_by="index_name",
    view=_view,
    exists=index_exists,
    missing=index_missing,
    unbound=index_in_binding,
)
