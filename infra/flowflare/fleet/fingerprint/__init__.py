"""Fingerprints of stacks: what their programs depend on, without running them."""
