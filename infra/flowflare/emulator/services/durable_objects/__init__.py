"""List Durable Object namespaces; uploads create and delete them."""
