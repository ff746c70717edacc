"""Which addresses a client of the API may name: those of every adapter, on the network alone."""

import re

import pytest

from config.errors import ConfigError, RefusedError
from sidecar.rooms.janus.url import JanusUrl
from sidecar.rooms.registry import adapters
from sidecar.supervisor.room_urls import SCHEMES, check_room_url

FORMS = [
    re.sub(r"\[.*?\]", "", form).replace("HOST", "sfu.example").strip()
    for adapter in adapters()
    for form in adapter.forms
    if "://" in form
]


@pytest.mark.parametrize("url", FORMS)
def test_every_form_of_an_adapter_s_addresses_is_taken(url: str) -> None:
    check_room_url(url)


def test_every_scheme_of_janus_is_taken() -> None:
    mentioned = [scheme for scheme in SCHEMES if scheme.startswith("janus")]
    assert len(mentioned) == 6
    for scheme in mentioned:
        assert JanusUrl.matches(f"{scheme}://sfu.example/1234")


@pytest.mark.parametrize("url", ["talk.mp4", "file:///etc/passwd", "webcam:0", "/dev/video0", ""])
def test_what_is_not_on_the_network_is_no_client_s_to_name(url: str) -> None:
    with pytest.raises(ConfigError, match="no meeting on the network"):
        check_room_url(url)


def test_the_metadata_address_of_a_cloud_is_refused() -> None:
    with pytest.raises(RefusedError, match="metadata service"):
        check_room_url("janus+http://169.254.169.254/1234")
