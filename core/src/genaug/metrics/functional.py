"""The formulas of the metrics as pure functions of tensors: no models, no randomness, no files."""

import torch
from torch import Tensor

from genaug.metric import Kernels

_WINDOW = 7  # pixels; the default of scikit-image
_CONSTANTS = (0.01, 0.03)  # K1 and K2 of Wang et al. 2004
_ROWS, _IMAGES = 1, 200  # rows of windows, and images, processed at once: bounds the memory of ssim_pairs
_ENOUGH = 2000  # images whose pairs give the median distance
_SAME = 1e-6  # relative to the longest row: distances below it are rounding errors between equal rows


def ssim_pairs(first: Tensor, second: Tensor) -> Tensor:
    """Structural similarity of all pairs of images [N, C, H, W] and [M, C, H, W] in [-1, 1]: float64 [N, M] in [-1, 1].

    The mean over channels and 7x7 windows with sample covariance (Wang et al. 2004), as scikit-image's
    `structural_similarity`. Own code, because one matrix product for all pairs is 8 times as fast as a call of
    scikit-image for each pair and differs by at most 4.5e-8 (benchmarks/ssim.py).
    Raises ValueError for a height or width below 7 pixels.
    """
    count, channels, height, width = first.shape
    if min(height, width) < _WINDOW:
        raise ValueError(f"ssim needs a height and width of at least {_WINDOW} pixels, got {height}x{width}")
    if count > _IMAGES:
        return torch.cat([ssim_pairs(part, second) for part in first.split(_IMAGES)])
    if len(second) > _IMAGES:
        return torch.cat([ssim_pairs(first, part) for part in second.split(_IMAGES)], dim=1)
    total = torch.zeros((count, len(second)), dtype=torch.float64)
    for channel in range(channels):
        one, two = (_windows(images[:, channel]) for images in (first, second))
        for top in range(0, one.shape[1], _ROWS):
            total += _similarity(one[:, top : top + _ROWS], two[:, top : top + _ROWS])
    return total / (channels * (height - _WINDOW + 1) * (width - _WINDOW + 1))


def _windows(images: Tensor) -> Tensor:
    """All 7x7 windows [N, H', W', 49], values in [0, 1], of images [N, H, W] in [-1, 1]."""
    unit = (images.float() + 1) / 2
    return unit.unfold(1, _WINDOW, 1).unfold(2, _WINDOW, 1).flatten(3)


def _similarity(first: Tensor, second: Tensor) -> Tensor:
    """The similarity of each pair summed over windows, [N, M], from windows [N, h, w, 49] and [M, h, w, 49]."""
    one, two = (part.flatten(1, 2).transpose(0, 1) for part in (first, second))
    mean_one, mean_two = one.mean(dim=2, keepdim=True), two.mean(dim=2, keepdim=True)
    one, two = one - mean_one, two - mean_two
    samples = _WINDOW**2 - 1
    spread_one, spread_two = (part.square().sum(dim=2, keepdim=True) / samples for part in (one, two))
    c1, c2 = (constant**2 for constant in _CONSTANTS)
    means = torch.bmm(mean_one, 2 * mean_two.transpose(1, 2)).add_(c1)
    means /= (mean_one.square() + c1) + mean_two.square().transpose(1, 2)
    covariances = torch.baddbmm(torch.tensor(c2), one, two.transpose(1, 2), alpha=2 / samples)
    covariances /= (spread_one + c2) + spread_two.transpose(1, 2)
    return means.mul_(covariances).sum(dim=0)


def inception_score(probabilities: Tensor, splits: int = 1) -> float:
    """Exp of the mean Kullback-Leibler divergence of p(y|x) from p(y) (Salimans et al. 2016, arXiv 1606.03498).

    probabilities: [N, K], each row sums to 1. The score lies in [1, K].
    splits: maximal number of consecutive parts of equal length whose scores are averaged; they are cut as torchmetrics
        cuts them, so 12 rows in 10 parts become 6 parts of two rows.
    Own code: torchmetrics shuffles with the global random generator, so its score of several parts changes from call
    to call, and it returns nan if a probability is 0.
    """
    if splits > 1:
        parts = probabilities.chunk(splits)
        return sum(map(inception_score, parts)) / len(parts)
    conditional = probabilities.double()
    marginal = conditional.mean(dim=0, keepdim=True)
    divergence = torch.special.xlogy(conditional, conditional) - torch.special.xlogy(conditional, marginal)
    return float(divergence.sum(dim=1).mean().exp())


class _Through(torch.nn.Identity):
    """The network that torchmetrics asks for; it returns the given features unchanged."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.num_features = width


def frechet_distance(real: Tensor, synthetic: Tensor) -> float:
    """Fréchet distance of Gaussians fitted to features [N, D] and [M, D] (Heusel et al. 2017), by torchmetrics.

    Own code where N + M < D: torchmetrics needs several matrices [D, D], too large for memory if features are pixels.
    Returns nan if either set has fewer than two images.
    """
    if min(len(real), len(synthetic)) < 2:
        return float("nan")
    if len(real) + len(synthetic) < real.shape[1]:
        return _frechet_of_few(real.double(), synthetic.double())
    from torchmetrics.image.fid import FrechetInceptionDistance  # its import takes longer than most commands

    distance = FrechetInceptionDistance(feature=_Through(real.shape[1]))
    distance.update(real.double(), real=True)
    distance.update(synthetic.double(), real=False)
    return float(distance.compute())


def _frechet_of_few(real: Tensor, synthetic: Tensor) -> float:
    """The same without covariance matrices: Tr sqrt(S T) is the nuclear norm of A B^T if S = A^T A and T = B^T B."""
    one, two = ((rows - rows.mean(dim=0)) / (len(rows) - 1) ** 0.5 for rows in (real, synthetic))
    means = (real.mean(dim=0) - synthetic.mean(dim=0)).square().sum()
    return float(means + one.square().sum() + two.square().sum() - 2 * torch.linalg.matrix_norm(one @ two.T, "nuc"))


def polynomial_kernels(real: Tensor, synthetic: Tensor) -> Kernels:
    """(x.y / D + 1)^3 of features [N, D] and [M, D]: the kernel of KID (Binkowski et al. 2018, arXiv 1801.01401).

    Own line: torchmetrics' KID averages random subsets of equal size and cannot leave out related pairs.
    """
    x, y = real.double(), synthetic.double()
    return Kernels(*((a @ b.T / x.shape[1] + 1) ** 3 for a, b in ((x, x), (x, y), (y, y))))


def gaussian_kernels(real: Tensor, synthetic: Tensor) -> Kernels:
    """exp(-d^2 / median d^2); the median is over all pairs of real and synthetic images together (Gretton et al. 2012).

    Of more than 2,000 images, the pairs of 2,000 evenly spaced ones give the median.
    """
    both = torch.cat([real, synthetic]).double()
    some = both[torch.linspace(0, len(both) - 1, min(len(both), _ENOUGH)).round().long()]
    scale = torch.pdist(some).square().median().clamp_min(1e-12) if len(both) > 1 else both.new_ones(())
    n, values = len(real), distances(both, both).square_().div_(-scale).exp_()
    return Kernels(values[:n, :n], values[:n, n:], values[n:, n:])


def distances(first: Tensor, second: Tensor) -> Tensor:
    """Euclidean distances float64 [N, M] of rows [N, D] and [M, D]."""
    return torch.cdist(first.double(), second.double())


def leave_one_out(images: Tensor, related: Tensor | None = None) -> Tensor:
    """For each row of [N, D] the distance to the nearest other row, [N]; infinite if there is no other.

    related: bool [N, N], pairs of near-duplicates. They are ignored, because two files of one picture do not say how
        near different pictures lie, unless all rows are related.
    """
    others = distances(images, images)
    if related is not None and not related.all():
        others.masked_fill_(related, float("inf"))
    return others.fill_diagonal_(float("inf")).min(dim=1).values


def copies(real: Tensor, synthetic: Tensor, quantile: float, related: Tensor | None = None) -> Tensor:
    """Which synthetic rows [M, D] are closer to a real row than this quantile of the real leave-one-out distances.

    related: bool [N, N], pairs of real rows that are near-duplicates.
    Returns bool [M], or bool [0] if there are fewer than two real rows, since then nothing defines what close is. A row
    that equals a real row is a copy, however near the real rows are to each other.
    """
    alone = leave_one_out(real, related)
    if not len(synthetic) or not alone.isfinite().any():
        return torch.zeros(0, dtype=torch.bool)
    same = _SAME * real.double().norm(dim=1).max()
    close = alone[alone.isfinite()].quantile(quantile).clamp_min(float(same))
    return distances(synthetic, real).min(dim=1).values < close


def authentic(real: Tensor, synthetic: Tensor, related: Tensor | None = None) -> Tensor:
    """Which synthetic rows are further from their nearest real row than that row is from its nearest real row.

    related: bool [N, N], pairs of real rows that are near-duplicates.
    Returns bool [M] (Alaa et al. 2022, arXiv 2102.08921), or bool [0] if there are fewer than two real rows. The share
    among new real images depends on the data and is often about one half.
    """
    alone = leave_one_out(real, related)
    if not len(synthetic) or not alone.isfinite().any():
        return torch.zeros(0, dtype=torch.bool)
    nearest = distances(synthetic, real).min(dim=1)
    return nearest.values > alone[nearest.indices]


def precision(real: Tensor, synthetic: Tensor, k: int) -> float:
    """Share of synthetic rows that lie in the ball of a real row (Kynkäänniemi et al. 2019, arXiv 1904.06991).

    The ball of a row reaches to its k-th nearest neighbour of the same set.
    """
    return _inside(distances(real, synthetic), _radii(real, k)).any(dim=0).double().mean().item()


def recall(real: Tensor, synthetic: Tensor, k: int) -> float:
    """Share of real rows that lie in the ball of a synthetic row (Kynkäänniemi et al. 2019)."""
    return precision(synthetic, real, k)


def density(real: Tensor, synthetic: Tensor, k: int) -> float:
    """Mean number of real balls that hold a synthetic row, divided by k (Naeem et al. 2020, arXiv 2002.09797).

    Expected to be 1 for equal distributions.
    """
    return _inside(distances(real, synthetic), _radii(real, k)).double().sum(dim=0).mean().item() / k


def coverage(real: Tensor, synthetic: Tensor, k: int) -> float:
    """Share of real balls that hold a synthetic row (Naeem et al. 2020).

    Expected to be 1 - 2^-k for equal distributions and equal numbers of rows.
    """
    return _inside(distances(real, synthetic), _radii(real, k)).any(dim=1).double().mean().item()


def _radii(rows: Tensor, k: int) -> Tensor:
    """Distance [N] to the k-th nearest other row, or to the furthest one if there are fewer."""
    return distances(rows, rows).kthvalue(min(k + 1, len(rows)), dim=1).values


def _inside(across: Tensor, radii: Tensor) -> Tensor:
    return across <= radii[:, None]
