"""From a Worker's source to the one ES module that is uploaded."""
