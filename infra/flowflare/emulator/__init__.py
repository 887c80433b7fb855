"""Emulate Cloudflare: its management API v4 on loopback, over a real workerd.

`server` assembles the emulator. In `services/<name>/`, `routes.py` handles HTTP and `store.py`
holds the rules. `runtime/` talks to workerd, and `process` starts and stops the emulator in the
background. The emulator does not know Flowflare, and imports only `errors` from the package.
"""
