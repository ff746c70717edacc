"""The control API under ``/v1``: authentication, endpoints, metrics and the OpenAPI document."""
