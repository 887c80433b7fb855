"""Implement cron triggers of scripts."""
