"""What a stack is: frozen values without behaviour, and the rules that need nothing but them."""
