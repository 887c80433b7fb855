"""Make each Worker's code: Jinja2 around an esbuild bundle, one ES module with its hash."""
