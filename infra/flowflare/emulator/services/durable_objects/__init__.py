"""Durable Object namespaces, read only: uploads make and delete them."""
