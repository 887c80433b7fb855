"""What a plan means to a reviewer: changes, risks, findings; as text and as data."""
