"""From Pulumi's configuration to the model, every problem at once."""
