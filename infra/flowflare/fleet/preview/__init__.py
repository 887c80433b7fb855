"""Preview changes and compare drift of many stacks; report equal changes once."""
