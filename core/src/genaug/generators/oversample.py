"""Repeats training images of the wanted class unchanged: the plainest way to balance."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from genaug.builtin import OversampleConfig
from genaug.chance import Noise
from genaug.data.split import TrainSplit
from genaug.generator import Batch, Config, Drawn, Generator
from genaug.images import to_float


class Remembering(Generator[Config]):
    """A generator without networks whose memory is the training images themselves."""

    def build(self) -> dict[str, nn.Module]:
        """No networks."""
        return {}

    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        """No losses."""
        yield from ()

    def remember(self, train: TrainSplit) -> dict[str, Tensor]:
        """The training images uint8 [N, H, W, C] with labels and row ids int64 [N]."""
        arrays = {"images": train.images, "labels": train.labels, "rows": train.rows}
        return {name: torch.from_numpy(array).clone() for name, array in arrays.items()}

    def parents(self, labels: Tensor, noise: Noise) -> Tensor:
        """A place in the memory for each wanted label, int64 [N], uniform over the images of that class."""
        shares = noise.uniform()
        places = []
        for label, share in zip(labels, shares, strict=True):
            members = (self.memory["labels"] == label).nonzero().flatten()
            places.append(members[int(share * len(members))])
        return torch.stack(places)


class Oversample(Remembering[OversampleConfig]):
    """Training images of the wanted class, each equally likely."""

    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        """Copies of training images, which are their own parents."""
        places = self.parents(labels, noise)
        images = to_float(self.memory["images"][places].cpu().numpy())
        return Drawn(images, self.memory["rows"][places].unsqueeze(1))
