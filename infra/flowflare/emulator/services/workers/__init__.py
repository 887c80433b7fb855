"""Serve Workers as the newer API below `workers/workers` does: the same scripts, by name or ID."""
