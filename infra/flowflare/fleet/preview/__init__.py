"""What would change in many stacks, and what has drifted; what is alike is told once."""
