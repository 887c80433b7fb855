"""Read, generate and fingerprint secret values."""
