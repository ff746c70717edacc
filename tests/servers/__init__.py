"""Real servers of meeting systems, found or built, and started for tests on loopback alone.

``python -m tests.servers`` gets those that this machine can have; tests only look for them.
"""
