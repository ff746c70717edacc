"""What ``sidecar serve`` makes of its settings and environment."""

from typing import cast

import pytest

from config.errors import ConfigError
from config.settings import load_settings
from sidecar.serve.rooms import make_worker
from sidecar.supervisor.supervisor import Supervisor

NONE = cast("Supervisor", None)
KEYS = {"LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "secret"}


def test_a_key_of_encryption_that_can_t_be_read_ends_the_server_at_its_start() -> None:
    settings = load_settings(environ={"SIDECAR_SERVE__LIVEKIT__URL": "wss://sfu.example"})
    with pytest.raises(ConfigError, match=r"^LIVEKIT_E2EE_KEY: no base64"):
        make_worker(settings, {**KEYS, "LIVEKIT_E2EE_KEY": "base64:AAAA"}, NONE)


def test_variables_that_only_begin_like_a_key_are_left_alone() -> None:
    settings = load_settings(environ={"SIDECAR_SERVE__LIVEKIT__URL": "wss://sfu.example"})
    environ = {**KEYS, "LIVEKIT_E2EE_KEY": "one", "LIVEKIT_E2EE_KEY_file": "/x"}
    worker = make_worker(settings, environ, NONE)
    assert worker is not None
    assert dict(worker._options.secrets) == {"LIVEKIT_E2EE_KEY": "one"}
