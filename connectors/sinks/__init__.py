"""Sinks: one module each, named after the service; the outbox feeds them."""
