"""Changes of images without randomness: flips, rotations, hue shifts. The label-safety probe tests each of them."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
Change = Callable[[Images], Images]


def flip_horizontally(images: Images) -> Images:
    """uint8 [N, H, W, C] with left and right exchanged."""
    return np.ascontiguousarray(images[:, :, ::-1])


def flip_vertically(images: Images) -> Images:
    """uint8 [N, H, W, C] with top and bottom exchanged."""
    return np.ascontiguousarray(images[:, ::-1])


def quarter_turns(images: Images, times: int) -> Images:
    """uint8 [N, H, W, C] rotated counter-clockwise by 90 degrees, `times` times; an odd number swaps H and W."""
    return np.ascontiguousarray(np.rot90(images, times, axes=(1, 2)))


def rotate(images: Images, degrees: float) -> Images:
    """uint8 [N, H, W, C] rotated counter-clockwise about their centres; bilinear, with reflected borders."""
    import cv2

    height, width = images.shape[1:3]
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    turned = [cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REFLECT_101) for image in images]
    return np.array(turned, dtype=np.uint8).reshape(images.shape)


def shift_hue(images: Images, degrees: float) -> Images:
    """uint8 [N, H, W, 3] with all hues shifted by these degrees on the colour circle of HSV; grey stays grey."""
    import cv2

    rows = images.reshape(-1, images.shape[2], 3).astype(np.float32) / 255
    hsv = cv2.cvtColor(rows, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0] + degrees) % 360
    shifted = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    return np.rint(shifted * 255).clip(0, 255).astype(np.uint8).reshape(images.shape)


FLIPS: dict[str, Change] = {"horizontal": flip_horizontally, "vertical": flip_vertically}
TURNS = {f"rotation {degrees:+d}": partial(rotate, degrees=degrees) for degrees in (15, -15, 30, -30)}
HUES = {f"hue {degrees:+d}": partial(shift_hue, degrees=degrees) for degrees in (18, -18, 90, -90)}


def changes_for(height: int, width: int, channels: int) -> dict[str, Change]:
    """All changes that are possible for images of this shape, by name; numbers in names are degrees.

    Turns by 90 and 270 degrees need height equal to width; hue shifts need colour.
    """
    quarters = {f"turn {90 * times}": partial(quarter_turns, times=times) for times in (1, 2, 3)}
    if height != width:
        quarters = {"turn 180": quarters["turn 180"]}
    flips = {f"{name} flip": flip for name, flip in FLIPS.items()}
    return flips | quarters | TURNS | (HUES if channels == 3 else {})
