"""Draw the pictures of the documentation: ``python -m bench.pictures [FOLDER]``.

The composite is a real one: mannequins go through sampling, models, policy and compositor as
cameras do, without a network and in the clip's time.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import av
from PIL import Image

from config.reaction_table import load_reaction_table
from config.settings import Settings
from gifs.cache import StickerCache
from gifs.catalogue import STICKERS
from reactions.frame_sampler import FrameSampler
from reactions.labels import LABELS
from reactions.mannequin import CAST, Background, Scene, demonstration
from reactions.mannequin.clip import Shot
from sidecar.media.compositor.compositor import Compositor
from sidecar.session.factories import make_pipeline, make_policy, make_store
from sidecar.session.participant import Participant

FPS = 12
FROM, SECONDS = 0.0, 13.0
"""The part of the mannequins' loop that is shown."""
SIZE = (960, 540)


def actors() -> list[tuple[str, Shot]]:
    """The mannequins of the demo."""
    backgrounds = tuple(Background)
    return [
        (name, Shot(person, demonstration(k), Scene(background=backgrounds[k]), FPS))
        for k, (name, person) in enumerate(list(CAST.items())[:3])
    ]


def composites() -> Iterator[Image.Image]:
    """Pictures of the composite, ``FPS`` a second."""
    settings, table = Settings(), load_reaction_table(LABELS, environ={})
    detector = make_pipeline(make_store(settings), table, settings)
    policy, sampler = make_policy(table, settings), FrameSampler()
    shots = [(Participant(name, name, table, policy), shot) for name, shot in actors()]
    canvas = Compositor(*SIZE, StickerCache())
    due = 0.0
    for index in range(int(FROM * FPS), int((FROM + SECONDS) * FPS)):
        time = index / FPS
        frames = [
            av.VideoFrame.from_ndarray(shot.frame(index), format="rgb24").reformat(format="yuv420p")
            for _, shot in shots
        ]
        for (participant, _), frame in zip(shots, frames, strict=True):
            if time >= due:
                detection = detector.detect(sampler.sample(frame, time), participant.memory)
                participant.process(detection, time)
        due = due + 1 / settings.sampling.rate if time >= due else due
        for event in policy.advance(time):
            for participant, _ in shots:
                if participant.participant == event.participant:
                    participant.apply([event])
        tiles = [one.tile(frame) for (one, _), frame in zip(shots, frames, strict=True)]
        yield Image.fromarray(canvas.draw(tiles, time).to_ndarray(format="rgb24"))


def stickers(columns: int = 9, size: int = 120) -> Image.Image:
    """Our stickers over a plain colour, each in the middle of its loop."""
    rows = -(-len(STICKERS) // columns)
    sheet = Image.new("RGB", (columns * size, rows * size), (58, 74, 88))
    for index, name in enumerate(sorted(STICKERS)):
        with Image.open(Path("gifs/stickers") / f"{name}.gif") as gif:
            gif.seek(getattr(gif, "n_frames", 1) // 2)
            drawing = gif.convert("RGBA").resize((size - 12, size - 12), Image.Resampling.LANCZOS)
        at = (index % columns * size + 6, index // columns * size + 6)
        sheet.paste(drawing, at, drawing)
    return sheet


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images")
    folder.mkdir(parents=True, exist_ok=True)
    stickers().save(folder / "stickers.png", optimize=True)
    first, *rest = composites()
    first.save(
        folder / "composite.webp",
        save_all=True,
        append_images=rest,
        duration=round(1000 / FPS),
        loop=0,
        quality=60,
        method=4,
    )


if __name__ == "__main__":
    main()
