"""Read the tenants and their configuration, and write their stack files."""
