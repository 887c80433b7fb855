"""Takes over an account where Flowflare was installed by hand: by wrangler or a setup script.

`adopt.adopt` is the way in. The program runs as in a preview, and each resource that it declares
is answered with what the account has (`adopter`, `finder` and a module for each kind of thing).
What comes out becomes the stack's state; in the account only the ledgers of D1 are written.
"""
