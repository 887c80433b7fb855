"""Compute fingerprints of stacks from everything that their programs depend on."""
