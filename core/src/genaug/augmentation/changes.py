"""Named changes of images without chance: flips, turns, shifts of hue. The probe judges them; flips come from here."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
Change = Callable[[Images], Images]


def flip_horizontally(images: Images) -> Images:
    """uint8 [N, H, W, C] as a mirror shows them, left for right."""
    return np.ascontiguousarray(images[:, :, ::-1])


def flip_vertically(images: Images) -> Images:
    """uint8 [N, H, W, C] upside down, as water mirrors them."""
    return np.ascontiguousarray(images[:, ::-1])


def quarter_turns(images: Images, times: int) -> Images:
    """uint8 [N, H, W, C] turned by 90 degrees, counter-clockwise; an odd number of times swaps H and W."""
    return np.ascontiguousarray(np.rot90(images, times, axes=(1, 2)))


def rotate(images: Images, degrees: float) -> Images:
    """uint8 [N, H, W, C] turned about their centres, counter-clockwise, bilinear; borders are reflected."""
    import cv2

    height, width = images.shape[1:3]
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    turned = [cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REFLECT_101) for image in images]
    return np.array(turned, dtype=np.uint8).reshape(images.shape)


def shift_hue(images: Images, degrees: float) -> Images:
    """uint8 [N, H, W, 3] with every hue moved on by degrees of the colour circle of HSV; grey stays grey."""
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
    """The changes that images of such a shape allow, by name, in degrees.

    Quarter turns of 90 and 270 only where height equals width, since else they change the shape; hues only of colours.
    """
    quarters = {f"turn {90 * times}": partial(quarter_turns, times=times) for times in (1, 2, 3)}
    if height != width:
        quarters = {"turn 180": quarters["turn 180"]}
    flips = {f"{name} flip": flip for name, flip in FLIPS.items()}
    return flips | quarters | TURNS | (HUES if channels == 3 else {})
