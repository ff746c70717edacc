"""The sidecar: media, rooms, sessions, sinks, servers and the command line."""
