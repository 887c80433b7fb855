"""Deploy many stacks in waves and remove them; records are enough to resume."""
