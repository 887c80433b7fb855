"""Implement the targets of bindings: KV namespaces, R2 buckets, queues and similar."""
