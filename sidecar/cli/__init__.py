"""The command line: one module a command, and what they share (options, signals, progress)."""
