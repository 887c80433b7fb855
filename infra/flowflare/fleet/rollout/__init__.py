"""Brings many stacks up in waves, and takes them away; resumed from records alone."""
