"""The real engine: drives the Pulumi CLI for stacks that do not say `flowflare:engine: embedded`.

The parts, in the order in which a run meets them: `versions` says which CLI, `command` finds it,
`plugins` refuses to start it without its plugins; `stack` runs it, one command for one operation
(`workspace`, `invocation`); `served` runs the program of a preview and records it; `stream` reads
the CLI's events, and `translate` turns them into the events of `engine.events`, so that both
engines are shown alike; `failures` turns its errors into ours; `lost_answers` and `adopt` take over
what a run made without hearing of it; `state` reads a deployment from wherever it is stored;
`recorded` plans against it without the CLI.
"""
