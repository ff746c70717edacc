"""Rooms that a LiveKit server dispatches to us: we register as a worker of its agents."""
