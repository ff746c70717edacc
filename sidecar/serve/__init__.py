"""Run many rooms by API: the core of ``sidecar serve``, assembled from the settings."""
