"""Pulumi's configuration, read from its files and turned into a stack's model."""
