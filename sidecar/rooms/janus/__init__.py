"""The adapter of the Janus VideoRoom plugin."""
