"""`flowflare fleet`: commands over many stacks."""
