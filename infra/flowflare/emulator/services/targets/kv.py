"""Describe KV namespaces."""

from flowflare.emulator.envelope import Code
from flowflare.emulator.services.targets.target import Record, TargetKind, pop_name, run_by_key

_LONGEST_TITLE = 512


namespace_exists = Code(
    400,
    10014,
    "a namespace with this account ID and title already exists",
    "a KV namespace title that the account already uses.",
)
namespace_missing = Code(404, 10013, "namespace not found", "an unknown KV namespace ID.")
namespace_in_binding = Code(
    400,
    10041,
    "KV namespace '{name}' not found. Please use a different namespace and try again.",
    "a binding to an unknown KV namespace.",
)
title_too_long = Code(
    400,
    10019,
    "the namespace title must have at most 512 bytes",
    "a KV namespace title of more than 512 bytes. Code and text are our interpretation.",
)


def _check(title: str, _: Record) -> None:
    if len(title.encode()) > _LONGEST_TITLE:
        raise title_too_long()


KV = TargetKind(
    name="kv",
    words="KV namespaces",
    path="/storage/kv/namespaces",
    title="title",
    binding="kv_namespace",
    bound_by="namespace_id",
    view=lambda target, _: {
        "id": target.id,
        "title": target.name,
        "supports_url_encoding": True,
    },
    exists=namespace_exists,
    missing=namespace_missing,
    unbound=namespace_in_binding,
    updates={"PUT": lambda target, body, _: (pop_name(body, "title"), target.record)},
    check=_check,
    run=run_by_key,
    deleted={},
)
