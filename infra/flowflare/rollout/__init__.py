"""Run several deployments in order, where a single `up` would cause an outage or a loss."""
