"""Cron triggers of scripts."""
