"""Declare an own resource besides the classes in use, importing both in a given order."""

import importlib
import json
import sys

from tests.unit.resources.recording_monitor import record

modules = {name: importlib.import_module(name) for name in sys.argv[1:]}
ours = modules["flowflare.kinds.cloudflare"]
theirs = modules["pulumi_cloudflare"]


def program() -> None:
    ours.D1Database("ours", account_id="a", name="db")
    args = theirs.R2BucketArgs(account_id="a", name="files")
    theirs.R2Bucket("theirs", args)
    theirs.Workflow("same", account_id="a", workflow_name="w", script_name="s", class_name="C")


monitor = record(program, config={})
summary = {
    "declared": sorted(
        [resource.name, resource.type] for resource in monitor.declared if resource.custom
    ),
    "same classes": theirs.D1Database is ours.D1Database
    and theirs.WorkersScriptBindingArgs is ours.WorkersScriptBindingArgs,
    "config": theirs.config.__name__,
    "outputs": theirs.outputs.D1DatabaseReadReplication.__module__,
    "names": len(theirs.outputs.__all__) > 3000 and len(dir(theirs)) > 3000,
}
sys.stdout.write(json.dumps(summary))
