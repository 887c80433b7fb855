"""Exports of databases as SQL, and the proof that they restore."""
