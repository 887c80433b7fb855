"""The processes that work on many stacks, and what they can be asked to do."""
