"""Make a new project: its files, the hashes of its packages, the types of its clients."""
