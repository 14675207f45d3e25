"""The edge: sources that read posts, sinks that tell of alerts, and the runner between."""
