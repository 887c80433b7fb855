"""What bindings point to and others make: KV namespaces, R2 buckets, queues and the like."""
