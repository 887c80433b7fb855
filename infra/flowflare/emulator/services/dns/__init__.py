"""Implement the DNS records of zones, without answering DNS queries."""
