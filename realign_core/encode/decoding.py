"""Bytes to an RGB image, with a reason where that cannot be done."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from realign_core.load.faults import first_line

# Nothing that runs a program or a script of its own, as EPS does.
FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
LONGEST = 200
"""Preprocessing scales the short side up to the model's before it crops: the long side grows with it, and a
line of one pixel's width, a few hundred bytes packed, would take gigabytes."""
WHITE = (255, 255, 255, 255)


class BrokenImage(Exception):
    """The image cannot be decoded; the message is the reason, in a few words."""


def decode(content: bytes) -> Any:
    """An RGB `PIL.Image` of the first frame: turned as its EXIF orientation says, transparency over white,
    16-bit grey scaled to 8. Raises BrokenImage."""
    from PIL import Image, UnidentifiedImageError

    if not content:
        raise BrokenImage("the file is empty")
    try:
        Image.init()
        known = [name for name in FORMATS if name in Image.OPEN]
        with Image.open(io.BytesIO(content), formats=known) as image:
            width, height = image.size
            limit = Image.MAX_IMAGE_PIXELS
            if limit is not None and width * height > limit:
                raise BrokenImage(f"{width} x {height} is more than {limit:,} pixels")
            if 0 in image.size:
                raise BrokenImage("it has no pixels")
            if max(image.size) > LONGEST * min(image.size):
                raise BrokenImage(f"{width} x {height}: one side is more than {LONGEST} times the other")
            image.load()
            return _rgb(image)
    except BrokenImage:
        raise
    except UnidentifiedImageError:
        raise BrokenImage("not an image that can be read") from None
    except Image.DecompressionBombError:
        raise BrokenImage(f"more than {2 * (Image.MAX_IMAGE_PIXELS or 0):,} pixels") from None
    except Exception as error:
        # Decoders meet bytes from anywhere and raise errors of many kinds.
        raise BrokenImage(f"damaged: {first_line(error)}") from error


def _rgb(image: Any) -> Any:
    from PIL import Image, ImageOps

    kind = image.format
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16") or (image.mode == "I" and kind in ("PNG", "PPM")):
        grey = np.asarray(image).astype(np.int64)
        image = Image.fromarray(((grey.clip(0, 65535) + 128) // 257).astype(np.uint8))
    elif image.mode in ("I", "F"):
        raise BrokenImage(
            "its pixels are 32-bit numbers, whose black and white are not defined; save 8 or 16 bits"
        )
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, WHITE)
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")
