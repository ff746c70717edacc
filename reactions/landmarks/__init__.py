"""Landmarks of faces, hands and bodies: models, their files, and which of them runs when."""
