"""The policies of this package: each is one class with its name, parameters and check."""
