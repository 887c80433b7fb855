"""Who the tenants are, what each is configured with, and the stack files that say so."""
