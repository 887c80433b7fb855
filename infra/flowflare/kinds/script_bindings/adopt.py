"""Finds the bindings of a live script that the script inherits."""

from flowflare.kinds.account import Account
from flowflare.kinds.adoption import Difference, Findings, Thing, Wanted, known
from flowflare.kinds.scene import as_sent, differing
from flowflare.kinds.workers_script.adopt import as_input
from flowflare.kinds.workers_script.drift import comparable


def find(wanted: Wanted, account: Account, findings: Findings) -> Thing | None:
    """The bindings of a live script that the script inherits; missing where one of them is."""
    del findings
    name = wanted.text("script_name")
    if name not in account.scripts():
        return None
    there = {str(one.get("name")): one for one in account.settings(name).get("bindings") or ()}
    declared = {str(one["name"]): one for one in wanted.inputs.get("bindings") or ()}
    if not declared.keys() <= there.keys():
        return None
    found, live = [], []
    for each, one in declared.items():
        differences = [
            Difference(path=f'bindings["{each}"].{path}', declared=before, account=after)
            for path, before, after in differing(
                comparable(as_sent(one), name), comparable(there[each], name)
            )
        ]
        found += differences
        live.append(as_input(there[each], camels=False) if differences else one)
    outputs = {key: wanted.inputs.get(key) for key in ("account_id", "script_name")}
    provider = {"__provider": wanted.inputs.get("__provider")}
    identity = f"{wanted.text('account_id')}/{name}"
    inputs = known({**wanted.inputs, "bindings": live})
    return Thing(identity, inputs, {**outputs, "bindings": live, **provider}, name, found)
