"""Model a stack as frozen values without behaviour, with the rules that need only these values."""
