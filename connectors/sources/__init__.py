"""Sources: one module each, named after the service."""
