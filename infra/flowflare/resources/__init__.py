"""The Pulumi components and dynamic resources of a stack."""
