"""Between Python and workerd: `bridge` runs the Node child, `document` says what it shall run.

The `.mjs` files are that child: `main` speaks the protocol, `runtime` drives Miniflare, `ports` are
the Workers' addresses, `probe` starts an upload alone, `resume` wakes Workflows, `files` knows the
disk.
"""
