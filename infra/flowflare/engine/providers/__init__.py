"""What makes, changes and removes resources: one handler per kind, behind one protocol."""
