"""The adapter of Galène: one client that watches and publishes."""
