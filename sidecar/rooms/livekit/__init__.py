"""The adapter of LiveKit: a hidden participant watches, a visible one publishes the composite."""
