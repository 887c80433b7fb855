"""D1: databases, queries, bookmarks."""
