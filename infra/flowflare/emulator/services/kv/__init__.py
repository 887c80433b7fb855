"""Implement the contents of KV namespaces: values, metadata and keys."""
