"""The embedded engine: run a Pulumi program in this process, and keep its state.

The parts, in the order in which a run uses them: `stack` takes the lock; `stack_state` reads state
and secrets; `program` runs the program under the SDK; `monitor` turns its requests into `goal`s;
`apply` carries out each goal: it asks `plan` (pure) what to do and `providers` to do it; `ledger`
keeps the state of the run and writes it; `destroy` deletes resources that the program no longer
declares. `recording` runs a program without a stack, for comparisons, and `plan_over` runs it over
a given state.
"""
