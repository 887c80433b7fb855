"""Implement the figures that clients ask of the GraphQL API."""
