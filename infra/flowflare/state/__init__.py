"""The state of a stack: checkpoints, history, locks and secrets, in a backend that a URL names.

`location` finds where a project's state is stored, `backends` reads and writes the objects there,
and `backend` has one stack's objects. `checkpoint` turns a checkpoint into records and back, and
`passphrase` encrypts its secrets. `lease` and `lock` let one run at a time work on a stack.
"""
