"""Implement the consumers of queues."""
