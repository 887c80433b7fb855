"""What a stack is: frozen data, no effects."""
