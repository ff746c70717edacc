"""Pixels to landmarks to label scores to reactions. No asyncio, no WebRTC, no clock of its own."""
