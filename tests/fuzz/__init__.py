"""Hostile inputs by the thousand, each target in a process with limits: ``make fuzz``."""
