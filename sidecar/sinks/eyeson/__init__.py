"""Reactions in eyeson meetings, as layers or playbacks of its API."""
