"""The types of bindings, one file a type."""
