import threading

import av

from sidecar.inference.sampling import SamplingThread


async def test_frames_are_converted_on_a_thread_of_its_own() -> None:
    async with SamplingThread(longest=160) as sampling:
        sample = await sampling.sample(av.VideoFrame(640, 360, "yuv420p"), 3.0)
        assert (sample.width, sample.height, sample.time) == (160, 90, 3.0)
        assert any(thread.name.startswith("sampling") for thread in threading.enumerate())
    assert not any(thread.name.startswith("sampling") for thread in threading.enumerate())
