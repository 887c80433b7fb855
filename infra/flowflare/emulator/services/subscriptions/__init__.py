"""Implement event subscriptions: events of a source are published to a queue."""
