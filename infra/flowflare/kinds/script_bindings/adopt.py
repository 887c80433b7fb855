"""Find the inherited bindings of a live script."""

from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Difference, Findings, Thing, Wanted, drop_unknown
from flowflare.kinds.scene import as_sent, find_differences
from flowflare.kinds.workers_script.adopt import as_input
from flowflare.kinds.workers_script.drift import to_comparable


def find(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """Find the inherited bindings of a live script; None if one of them is missing."""
    del findings
    name = wanted.text("script_name")
    if name not in account.scripts():
        return None
    there = {str(row.get("name")): row for row in account.settings(name).get("bindings") or ()}
    declared = {str(binding["name"]): binding for binding in wanted.inputs.get("bindings") or ()}
    if not declared.keys() <= there.keys():
        return None
    found, live = [], []
    for key, binding in declared.items():
        differences = [
            Difference(path=f'bindings["{key}"].{path}', declared=before, account=after)
            for path, before, after in find_differences(
                to_comparable(as_sent(binding), name), to_comparable(there[key], name)
            )
        ]
        found += differences
        live.append(as_input(there[key], camels=False) if differences else binding)
    outputs = {key: wanted.inputs.get(key) for key in ("account_id", "script_name")}
    provider = {"__provider": wanted.inputs.get("__provider")}
    identity = f"{wanted.text('account_id')}/{name}"
    inputs = drop_unknown({**wanted.inputs, "bindings": live})
    return Thing(identity, inputs, {**outputs, "bindings": live, **provider}, name, found)
