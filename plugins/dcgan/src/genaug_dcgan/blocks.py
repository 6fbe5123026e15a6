"""Initial weights and the minibatch layer of the DCGAN networks."""

import torch
from torch import Tensor, nn


def initialise_radford(module: nn.Module) -> None:
    """Draw weights of convolutions from N(0, 0.02), of batch norms from N(1, 0.02).

    As in Radford et al. 2016 (arXiv 1511.06434).
    """
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


class MinibatchDeviation(nn.Module):
    """Adds a channel with the mean standard deviation over the batch (Karras et al. 2018, arXiv 1710.10196).

    Feature maps [N, C, H, W] to [N, C + 1, H, W]. A discriminator can so recognise fakes that are all the same.
    """

    def forward(self, maps: Tensor) -> Tensor:
        """Append the channel; it is near zero for a batch of one image."""
        deviation = (maps.float().var(dim=0, unbiased=False) + 1e-8).sqrt().mean().to(maps.dtype)
        return torch.cat([maps, deviation.expand(len(maps), 1, *maps.shape[2:])], dim=1)
