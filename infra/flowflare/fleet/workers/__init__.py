"""Run tasks on many stacks in a pool of worker processes."""
