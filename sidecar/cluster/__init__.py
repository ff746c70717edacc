"""Rooms and detection on a Ray cluster: ``sidecar serve --engine ray``.

Only ``ray_*.py`` modules import Ray, which the extra ``cluster`` brings; the others are plain.
"""
