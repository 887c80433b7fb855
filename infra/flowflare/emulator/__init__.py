"""An embedded Cloudflare: the management API v4 on loopback, over a real workerd.

`server` assembles it, `services/<name>/routes.py` know HTTP, `services/<name>/store.py` know the
rules, `runtime/` talks to workerd, `process` starts and stops it in the background. It knows
nothing of Flowflare and imports nothing of the package but `errors`.
"""
