"""Several ups in order: what one up cannot do without an outage or a loss."""
