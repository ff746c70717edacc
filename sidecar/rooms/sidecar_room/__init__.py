"""The adapter of another sidecar's hosted rooms."""
