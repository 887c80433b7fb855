"""Implement D1: databases, queries, bookmarks, imports and exports."""
