"""Muon: momentum that is made orthogonal before each update (Jordan 2024, kellerjordan.github.io/posts/muon).

Own code: torch.optim.Muon takes only parameters of two dimensions and does not reset the norm of filter banks.
"""

import math
from collections.abc import Callable, Collection, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.adamw import adamw

__all__ = ["Muon"]

_COEFFICIENTS = 3.4445, -4.7750, 2.0315
_TINY = 1e-7
_BETAS = 0.9, 0.999
_EPSILON = 1e-8


class Muon(Optimizer):
    """Muon for the filters of convolutions and AdamW for all other parameters, as one optimiser.

    In each step the weights of a convolution [filters, ...] are first scaled to the norm sqrt(filters). Then Nesterov
    momentum, orthogonalised as a matrix [filters, rest], is subtracted. So the learning rate is the size of the update
    in relation to the weights, whatever the size of the gradient.

    filters: weights of convolutions, of at least two dimensions. others: all other parameters. rate, momentum: of the
    filters. adamw_rate, weight_decay: of the others. fixed_norm: whether the weights are scaled; for networks in which
    no normalisation follows a convolution, give False: the norm is then free, and updates of a matrix with more filters
    than inputs are larger by the root of their ratio, as Jordan's are.
    """

    def __init__(
        self,
        filters: Iterable[Tensor],
        others: Iterable[Tensor],
        *,
        rate: float = 0.05,
        momentum: float = 0.9,
        adamw_rate: float = 4e-3,
        weight_decay: float = 0.05,
        fixed_norm: bool = True,
    ) -> None:
        groups: list[dict[str, Any]] = [
            {"params": list(filters), "lr": rate, "momentum": momentum, "orthogonal": True, "fixed_norm": fixed_norm},
            {"params": list(others), "lr": adamw_rate, "weight_decay": weight_decay, "orthogonal": False},
        ]
        if any(filters.ndim < 2 for filters in groups[0]["params"]):
            raise ValueError("filters must have at least two dimensions; give other parameters as `others`")
        super().__init__([group for group in groups if group["params"]], {})

    @classmethod
    def for_network(cls, network: nn.Module, *, without: Collection[nn.Module] = (), **options: Any) -> "Muon":
        """Muon for the weights of all convolutions of a network, transposed ones too, and AdamW for the rest.

        without: convolutions whose weights AdamW moves: those that no normalisation follows, since there the norm of
        the weights, which Muon fixes, decides the size of the output. options: as in the constructor.
        """
        kinds = nn.Conv2d | nn.ConvTranspose2d
        chosen = [module for module in network.modules() if isinstance(module, kinds) and module not in without]
        filters = {id(module.weight): module.weight for module in chosen}
        others = [parameter for parameter in network.parameters() if id(parameter) not in filters]
        return cls(filters.values(), others, **options)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override] # as the loop calls it
        """Update all parameters that have a gradient. closure: not supported, as the training loop passes none."""
        if closure is not None:
            raise ValueError("Muon takes no closure")
        for group in self.param_groups:
            moved = [parameter for parameter in group["params"] if parameter.grad is not None]
            if group["orthogonal"]:
                for filters in moved:
                    self._move(filters, group["lr"], group["momentum"], fixed_norm=group["fixed_norm"])
            elif moved:
                self._adamw(moved, group["lr"], group["weight_decay"])

    def _move(self, filters: Tensor, rate: float, momentum: float, *, fixed_norm: bool) -> None:
        state, gradient = self.state[filters], filters.grad
        assert gradient is not None
        if not state:
            state["momentum"] = torch.zeros_like(filters)
        average = state["momentum"].mul_(momentum).add_(gradient)
        update = gradient.add(average, alpha=momentum)
        if fixed_norm:
            filters.mul_(math.sqrt(len(filters)) / (filters.norm() + _TINY))
        else:
            rate *= math.sqrt(max(1.0, len(filters) / filters[0].numel()))
        filters.sub_(orthogonalised(update.flatten(1)).view_as(filters), alpha=rate)

    def _adamw(self, parameters: list[Tensor], rate: float, weight_decay: float) -> None:
        for parameter in parameters:
            if not self.state[parameter]:
                zeros = torch.zeros_like
                self.state[parameter] |= {
                    "step": torch.zeros(()),
                    "exp_avg": zeros(parameter),
                    "exp_avg_sq": zeros(parameter),
                }
        states = [self.state[parameter] for parameter in parameters]
        adamw(
            parameters,
            [parameter.grad for parameter in parameters if parameter.grad is not None],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            amsgrad=False,
            beta1=_BETAS[0],
            beta2=_BETAS[1],
            lr=rate,
            weight_decay=weight_decay,
            eps=_EPSILON,
            maximize=False,
        )


def orthogonalised(matrix: Tensor, steps: int = 5) -> Tensor:
    """A matrix [M, N] with the same singular vectors and singular values near 1, by Newton-Schulz steps.

    After five steps, singular values of at least a hundredth of the norm lie in about [0.7, 1.2]. The coefficients are
    Jordan's.
    """
    tall = matrix.shape[0] > matrix.shape[1]
    wide: Tensor = matrix.float().T if tall else matrix.float()
    wide = wide / (wide.norm() + _TINY)
    found = _newton_schulz(wide @ wide.T, steps) @ wide
    return (found.T if tall else found).to(matrix.dtype)


def _newton_schulz(gram: Tensor, steps: int) -> Tensor:
    """The product of the polynomials of all steps, [M, M], by which the matrix X of gram = X X^T is multiplied.

    They are polynomials of one matrix, which commute, so each step needs small square products only: for filters of
    128 x 1152 about a third of the work of multiplying X in each step.
    """
    first, third, fifth = _COEFFICIENTS
    identity = torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    product = identity
    for step in range(steps):
        factor = torch.addmm(first * identity + third * gram, gram, gram, alpha=fifth)
        product = factor @ product if step else factor
        if step + 1 < steps:
            gram = factor @ (gram @ factor)
    return product
