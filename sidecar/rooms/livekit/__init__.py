"""Takes part in LiveKit rooms: a hidden participant watches, a visible one shows the composite."""
