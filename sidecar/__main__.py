"""``python -m sidecar``."""

from sidecar.cli.app import main

main()
