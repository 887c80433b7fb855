"""Keep one comment per pull request up to date: its content, its author and its location."""
