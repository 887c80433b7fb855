"""Between Python and workerd: `bridge` runs the Node child, `document` says what it shall run.

`changes`, `contents` and `told` find out what the child does not know yet. The `.mjs` files are
that child: `main` speaks the protocol, `runtime` decides what is loaded, `units` which Workers
belong together, `instance` is one workerd of them, `stores` the one with the data and `bindings`
the way to it, `ports` are the Workers' addresses, `probe` starts an upload alone, `resume` wakes
Workflows, `alarms` knows when objects wake, `files` knows the disk.
"""
