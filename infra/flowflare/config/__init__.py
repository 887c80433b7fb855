"""Read Pulumi's configuration from its files, check it, and build a stack's model."""
