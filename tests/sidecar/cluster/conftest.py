"""Ray warns of its own use of pydantic while it is imported; warnings are errors in our tests."""

import contextlib
import warnings

with warnings.catch_warnings(), contextlib.suppress(ImportError):
    warnings.simplefilter("ignore")
    import ray.serve  # noqa: F401
