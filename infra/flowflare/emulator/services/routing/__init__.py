"""Routing: which requests of a zone a script answers, by pattern or by hostname."""
