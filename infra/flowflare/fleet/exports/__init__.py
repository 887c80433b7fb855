"""Export databases as SQL, and verify that each export restores."""
