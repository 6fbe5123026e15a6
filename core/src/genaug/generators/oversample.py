"""Repeats training images of the wanted class unchanged: the plainest way to balance."""

from collections.abc import Iterator

from torch import Tensor, nn

from genaug.builtin import OversampleConfig
from genaug.chance import Noise
from genaug.generator import Batch, Config, Drawn, Generator
from genaug.layers.memory import choose, keep_images, kept_images


class Remembering(Generator[Config]):
    """A generator without networks whose memory is the training images themselves."""

    def build(self) -> dict[str, nn.Module]:
        """No networks."""
        return {}

    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        """No losses."""
        yield from ()

    def remember(self, known: Batch) -> dict[str, Tensor]:
        """The training images with labels and row ids."""
        return keep_images(known)

    def parents(self, labels: Tensor, noise: Noise) -> Tensor:
        """A place in the memory for each wanted label, int64 [N], uniform over the images of that class."""
        return choose(self.memory["labels"], labels, noise.uniform())


class Oversample(Remembering[OversampleConfig]):
    """Training images of the wanted class, each equally likely."""

    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        """Copies of training images, which are their own parents."""
        places = self.parents(labels, noise)
        images = kept_images(self.memory, places)
        return Drawn(images, self.memory["rows"][places].unsqueeze(1))
