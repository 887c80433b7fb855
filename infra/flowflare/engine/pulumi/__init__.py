"""The real engine: drives the Pulumi CLI for stacks that do not say `flowflare:engine: embedded`.

The parts, in the order in which a run meets them: `versions` says which CLI, `command` finds it;
`stack` runs it through the Automation API; `translate` turns its event stream into the events of
`engine.events`, so that both engines are shown alike; `failures` turns its errors into ours;
`lost_answers` and `adopt` take over what a run made without hearing of it; `state` reads a
deployment from wherever it lies; `recorded` plans against it without the CLI.
"""
