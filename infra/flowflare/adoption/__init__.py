"""Adopt an account where Flowflare was installed by hand, with wrangler or a setup script.

`adopt.plan_adoption` is the entry point. The program runs as in a preview, and each resource that
it declares is looked up in the account (`adopter`, and `kinds/*/adopt.py` for each kind). The
result becomes the stack's state. In the account only the ledgers of D1 migrations are written.
"""
