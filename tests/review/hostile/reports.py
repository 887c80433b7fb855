"""Make a report that uses every field, and the same report with other words."""

import json
from collections.abc import Callable
from typing import Any

from flowflare.review.report import Report

# Words that the schema fixes, and digests.
_FIXED = {"kind", "risk", "op", "protection", "severity", "format", "exit_code"}


def _change(path: str, kind: str, old: Any, new: Any, **more: Any) -> dict[str, Any]:
    return {
        "path": path,
        "kind": kind,
        "old": old,
        "new": new,
        **({"replaces": False, "waits_for": []} | more),
    }


def _entry(op: str, name: str, type_: str, risk: str, **more: Any) -> dict[str, Any]:
    urn = f"urn:pulumi:dev::shop::{type_}::{name}"
    known = {"op": op, "name": name, "type": type_, "urn": urn, "risk": risk, "api_calls": 2}
    return known | more


_SCRIPT = _entry(
    "update",
    "orders-script",
    "cloudflare:index/workersScript:WorkersScript",
    "restarts",
    reasons=[{"risk": "restarts", "text": "The upload restarts the objects of `Cart`: it ends."}],
    note="asked for",
    protection="kept",
    changes=[
        _change('bindings["KEY"]', "delete", {"type": "secret_text", "text": "[secret]"}, None),
        _change('bindings["FLAG"]', "add", None, {"type": "plain_text", "text": "on", "more": 1}),
        _change('bindings["DB"].id', "update", "old", "[unknown]", waits_for=["database"]),
        _change('bindings["KEPT"].text', "update", "[secret]", "[secret]"),
        _change("observability", "add", None, {"logs": {"enabled": True}, "rate": 0.5}),
        _change("flags", "update", ["a"], ["a", "b"], replaces=True),
    ],
    replaces=["flags"],
    waits_for=["database"],
    bindings_added=[{"name": "FLAG", "type": "plain_text"}],
    bindings_dropped=[{"name": "KEY", "type": "secret_text"}],
    differences=[
        {"of": "src/orders.js", "lines": ["@@ -1,2 +1,2 @@", " kept", "-old();", "+new();", "..."]},
        {"of": "limits", "lines": ["+{", '+  "cpu": 50', "+}"]},
    ],
)
_CLASSES = _entry(
    "update",
    "orders-class-migrations",
    "pulumi-python:dynamic/flowflare:DurableObjectMigrations",
    "loses-data",
    reasons=[{"risk": "loses-data", "text": "Class migration `v2` deletes Cart with its data."}],
    protection="refused",
    class_migrations=[
        {
            "tag": "v2",
            "new_sqlite_classes": ["New"],
            "renamed_classes": ["Old -> Newer"],
            "deleted_classes": ["Cart"],
            "transferred_classes": ["other.Far -> Near"],
        }
    ],
)
_FILES = _entry(
    "create",
    "orders-migrations",
    "pulumi-python:dynamic/flowflare:D1Migrations",
    "safe",
    waits_for=["database"],
    migrations=[
        {
            "name": "0002_more.sql",
            "bytes": 40,
            "sha256": "0" * 64,
            "findings": [
                {
                    "rule": "drop-table",
                    "severity": "error",
                    "line": 3,
                    "message": "The table `orders` goes.",
                    "remedy": "Rename it.",
                    "accepted": "moved to refunds",
                }
            ],
        }
    ],
    differences=[{"of": "0002_more.sql", "lines": ["+DROP TABLE orders;"]}],
)
_GONE = _entry("delete", "old-queue", "cloudflare:index/queue:Queue", "loses-data", note="gone")
_REFUSAL = {
    "name": "orders",
    "type": "t",
    "kind": "protected",
    "reason": "It is protected\nSay why",
}


_VALUES = [
    {"stack": stack, "values": {"script: variable SHOP": f"the shop of {stack}"}}
    for stack in ("new", "newer")
]


def _section(stacks: list[str], kind: str, risk: str, *entries: Any, **more: Any) -> dict[str, Any]:
    review = {"entries": list(entries), "refusals": [_REFUSAL], "outputs": {"url": "[unknown]"}}
    known = {"stacks": stacks, "kind": kind, "risk": risk, "api_calls": 4, "review": review}
    return known | more


RICH: dict[str, Any] = {
    "format": 1,
    "flowflare": "0.1.0",
    "project": "shop",
    "base": {"name": "main", "sha": "1" * 40, "subject": "Open the shop"},
    "head": {"name": "topic", "sha": "2" * 40, "subject": "Change it"},
    "risk": "loses-data",
    "exit_code": 1,
    "allowed_unknown": {"ida": "its file is repaired here"},
    "api_calls": 1_234,
    "seconds": 400,
    "counts": {
        "stacks": 12,
        "changed": 8,
        "not_recorded": 1,
        "create": 1,
        "update": 2,
        "replace": 0,
        "delete": 1,
        "refused": 2,
    },
    "notes": [{"kind": "other", "text": "The policy `owner` is weaker now."}],
    "policy": [
        {
            "rule": "allowed-origins",
            "severity": "error",
            "stacks": ["ann", "bea"],
            "resource": "orders-script",
            "message": "Every website may call it.",
            "remedy": "Name them.",
        },
        {"rule": "owner", "severity": "warning", "stacks": [], "message": "It has no owner."},
    ],
    "sections": [
        _section(["ann", "bea"], "changed", "loses-data", _SCRIPT, _CLASSES, _FILES, _GONE),
        _section(list("cdefgh"), "added", "restarts", _SCRIPT),
        _section(["new", "newer"], "added", "safe", _SCRIPT, values=_VALUES),
        _section(["old"], "removed", "safe", _FILES),
        _section(["max"], "changed", "unknown", doubts=["`environment` changes from a to b."]),
        _section(["ida"], "head-alone", "unknown", _FILES, error="main.py:1: broken\nmore of it"),
        {
            "stacks": ["jon"],
            "kind": "not-recorded",
            "risk": "unknown",
            "error": "its program ended\nwith exit code 3",
        },
    ],
    "unchanged": ["kim", "lea"],
}


def report(words: Callable[[str], str] | None = None, **changed: Any) -> Report:
    """Make the report as `flowflare comment` reads it, with every free text replaced."""
    value = RICH if words is None else replace_texts(RICH, words)
    return Report.model_validate_json(json.dumps(value | changed), strict=True)


def replace_texts(value: Any, words: Callable[[str], str]) -> Any:
    """Replace every free text in JSON values."""
    if isinstance(value, dict):
        return {
            words(key) if key.startswith("script: ") else key: item
            if key in _FIXED
            else replace_texts(item, words)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [replace_texts(item, words) for item in value]
    return words(value) if isinstance(value, str) else value
