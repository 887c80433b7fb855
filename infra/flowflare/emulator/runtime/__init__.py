"""Run uploaded Workers in workerd, through a Node child that holds Miniflare.

The services know `contract`, which `workers` implements. `bridge` runs the child, and `document`
describes what it runs. `changes`, `contents` and `published` find what the child does not know yet.
`wire.schema.json` describes every line to and from the child. The `.mjs` files are the child's
code: `main` speaks the protocol, `runtime` decides which Workers are loaded, and `units` which
Workers belong together. `programs` loads Miniflare, `instance` is one workerd that runs Workers,
`stores` the one that holds data, and `bindings` connects them. `ports` listens on the Workers'
addresses, `probe` validates an upload, `resume` continues Workflows, `alarms` reads the alarms of
Durable Objects, and `files` manages data on disk.
"""
