"""Implement the contents of R2 buckets: objects, and the rules of a bucket."""
