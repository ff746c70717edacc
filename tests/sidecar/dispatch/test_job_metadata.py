"""What the metadata of a dispatch may say."""

import json

import pytest

from config.errors import ConfigError
from sidecar.dispatch.job_metadata import JobMetadata, read_metadata, room_request, room_suffix
from sidecar.rooms.livekit.encryption import KEY_NAMES
from sidecar.rooms.livekit.tokens import IDENTITY_SUFFIX, KEY, SECRET

SERVER = "wss://sfu.example"


def test_empty_metadata_leave_all_as_the_server_is_set() -> None:
    for text in ("", "  ", "{}"):
        assert read_metadata(text) == JobMetadata()


def test_metadata_choose_labels_layout_rate_consent_and_where_the_composite_goes() -> None:
    wanted = {
        "labels": ["wave", "clap"],
        "layout": {"width": 640, "height": 360},
        "rate": 2.5,
        "consent": "opt-in",
        "publish": ["none"],
        "name": "Applause",
    }
    request = room_request(SERVER, "stand up", {"A_KEY": "x"}, read_metadata(json.dumps(wanted)))
    assert request.url == "wss://sfu.example#stand%20up"
    assert (request.labels, request.rate, request.consent) == (("wave", "clap"), 2.5, "opt-in")
    assert (request.publish, request.name) == (("none",), "Applause")
    assert request.layout is not None
    assert request.layout.width == 640
    assert request.secrets["A_KEY"].get_secret_value() == "x"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("reactions=off", "Invalid JSON"),
        ("[]", "Input should be an object"),
        ('{"label": []}', "label: Extra inputs"),
        ('{"rate": "fast"}', "rate: Input should be"),
        ('{"secrets": {}}', "secrets: Extra inputs"),
        ('{"publish": ["file:/etc/passwd"]}', "publish.0: String should match"),
        ("x" * 70_000, "longer than"),
    ],
)
def test_wrong_metadata_are_one_line_that_names_the_key(text: str, where: str) -> None:
    with pytest.raises(ConfigError, match=where) as caught:
        read_metadata(text)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("job metadata: ")


def test_a_room_s_name_may_be_too_long_for_an_address() -> None:
    with pytest.raises(ConfigError, match="too long"):
        room_request(SERVER, "€" * 256, {}, JobMetadata())


def test_identities_differ_by_agent_and_room_alone() -> None:
    assert room_suffix("agent", "room") == room_suffix("agent", "room")
    assert room_suffix("agent", "room") != room_suffix("agent", "other")
    assert room_suffix("agent", "room") != room_suffix("agents", "room")


def test_a_room_may_have_all_keys_of_a_ring_beside_those_of_the_server() -> None:
    secrets = dict.fromkeys((*KEY_NAMES, KEY, SECRET, IDENTITY_SUFFIX), "x")
    assert len(room_request(SERVER, "one", secrets, JobMetadata()).secrets) == len(KEY_NAMES) + 3


@pytest.mark.parametrize(
    ("name", "value", "where"),
    [
        ("A", "hush\udcff", "A: the value is no UTF-8"),
        ("a b", "hush", "dispatched job: secrets.a b"),
    ],
)
def test_a_secret_that_can_t_be_sent_fails_the_job_in_one_line_without_it(
    name: str, value: str, where: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        room_request(SERVER, "one", {name: value}, JobMetadata())
    assert str(caught.value).startswith(where)
    assert "hush" not in str(caught.value)
