"""Create, update and delete resources: one handler for each kind, behind one protocol."""
