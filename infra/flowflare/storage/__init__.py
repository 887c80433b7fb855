"""Objects under keys with conditional writes: a folder, or a bucket."""
