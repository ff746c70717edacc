import asyncio
import base64
import io

from PIL import Image

from sidecar.rooms.base import Consent
from sidecar.session.snapshots import snapshots
from tests.sidecar.session.test_session import Rig


async def test_participants_who_opted_out_are_not_in_the_pictures() -> None:
    rig = Rig()
    async with rig.joined("ada", "bob"):
        await rig.until(lambda: [seen > 0 for seen in frames(rig)] == [True, True])
        both = await snapshots(rig.session, asyncio.get_running_loop().time())
        rig.session.choose("bob", Consent.OPT_OUT)
        (ada,) = await snapshots(rig.session, asyncio.get_running_loop().time())
    assert [one.participant for one in both] == ["ada", "bob"]
    assert (ada.participant, ada.name, ada.width, ada.height) == ("ada", "Ada", 64, 36)
    picture = Image.open(io.BytesIO(base64.b64decode(ada.jpeg)))
    assert (picture.format, picture.size) == ("JPEG", (64, 36))


async def test_participants_are_not_in_the_pictures_before_they_agree() -> None:
    rig = Rig(consent=Consent.OPT_OUT)
    async with rig.joined("ada"):
        await rig.until(lambda: [seen > 0 for seen in frames(rig)] == [True])
        assert list(await snapshots(rig.session, asyncio.get_running_loop().time())) == []
        rig.session.choose("ada", Consent.OPT_IN)
        assert len(await snapshots(rig.session, asyncio.get_running_loop().time())) == 1


def frames(rig: Rig) -> list[int]:
    """How many frames of each camera have come."""
    return [one.frames_in for one in rig.session.stats().participants]
