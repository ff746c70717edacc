"""Rooms that the sidecar hosts: participants publish by WHIP and viewers watch by WHEP."""
