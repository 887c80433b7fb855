"""Describe KV namespaces."""

from flowflare.emulator.envelope import Refusal, refusal
from flowflare.emulator.services.targets.target import Record, TargetKind, pop_name, run_by_key

_LONGEST_TITLE = 512


def namespace_exists(_: str) -> Refusal:
    """Return the error for a KV namespace title that the account already uses."""
    return refusal(400, 10014, "a namespace with this account ID and title already exists")


def namespace_missing() -> Refusal:
    """Return the error for an unknown KV namespace ID."""
    return refusal(404, 10013, "namespace not found")


def namespace_in_binding(_: str, identity: str) -> Refusal:
    """Return the error for a binding to an unknown KV namespace."""
    return refusal(
        400,
        10041,
        f"KV namespace '{identity}' not found. Please use a different namespace and try again.",
    )


def title_too_long() -> Refusal:
    """Return the error for a KV namespace title of more than 512 bytes.

    Code and text are our interpretation.
    """
    return refusal(400, 10019, "the namespace title must have at most 512 bytes")


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
)
