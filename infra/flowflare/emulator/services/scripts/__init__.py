"""Workers scripts: uploads, settings, secrets, deletion."""
