import pytest

from config.errors import ConfigError
from sidecar.sinks.webhook.signature import signature_headers, signing_key


def test_a_signature_is_the_one_of_the_specification() -> None:
    # The example in the specification's reference libraries.
    headers = signature_headers(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize(
    ("secret", "reason"),
    [("s3cret", "too short"), ("whsec_c2hvcnQ=", "too short"), ("whsec_no base64!", "base64")],
)
def test_a_weak_or_damaged_secret_is_refused_without_showing_it(secret: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        signing_key(secret)
    assert secret not in str(caught.value)
