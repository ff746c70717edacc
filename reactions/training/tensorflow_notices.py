"""Keep TensorFlow's notices off standard error.

It writes them to descriptor 2: some before any logger or ``TF_CPP_MIN_LOG_LEVEL`` counts, and one
of each model that it converts. What goes wrong is an exception in any case.
"""

import re
from contextlib import AbstractContextManager
from typing import Final

from reactions.landmarks.stderr_filter import without_lines

_NOTICE: Final = re.compile(
    rb"WARNING: All log messages before absl|[IW]\d{4} \S|E\d{4} .*\bnode_def_util\b"
)
"""Lines of Abseil's log: informations, warnings, and the attributes that a converter knows not."""


def without_tensorflow_notices() -> AbstractContextManager[None]:
    """Keep TensorFlow's notices off standard error; all else comes out afterwards.

    For importing it and for exports: meanwhile what other threads write there waits too.
    """
    return without_lines(_NOTICE.match)
