"""Implement the messages of queues."""
