"""Route a zone's requests to scripts, by pattern or by hostname."""
