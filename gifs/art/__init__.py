"""Drawings of the shipped stickers and effects: SVG text and keyframes."""
