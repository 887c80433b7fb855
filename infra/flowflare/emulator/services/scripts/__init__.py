"""Implement Workers scripts: uploads, settings, deletion."""
