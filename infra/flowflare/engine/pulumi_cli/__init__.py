"""Drive the Pulumi CLI for stacks that do not set `flowflare:engine: embedded`.

The parts, in the order in which a run uses them: `versions` defines which CLI is supported,
`command` finds it, `plugins` refuses to start it without its plugins; `stack` runs it, one command
for each operation (`workspace`, `invocation`); `served` runs the program of a preview and records
it; `stream` reads the CLI's events, and `translate` turns them into the events of `values.events`,
so that both engines are shown alike; `failures` turns its errors into ours; `lost_answers` and
`adopt` take over what a run created without receiving the answer; `state` reads a deployment from
its backend; `recorded` plans against it without the CLI.
"""
