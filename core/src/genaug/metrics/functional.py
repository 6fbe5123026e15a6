"""Pure maths of the metrics: tensors in, numbers out; no models, no chance, no files."""

import torch
from torch import Tensor

from genaug.metric import Kernels

_WINDOW = 7  # the default of scikit-image
_CONSTANTS = (0.01, 0.03)
_ROWS, _IMAGES = 1, 200  # of window positions and of images at a time: bounds the memory of ssim_pairs
_ENOUGH = 2000  # images for the median of distances
_SAME = 1e-6  # of the length of a row: more than rounding makes of equal ones


def ssim_pairs(first: Tensor, second: Tensor) -> Tensor:
    """Structural similarity of all pairs of images [N, C, H, W] and [M, C, H, W] in [-1, 1]: float64 [N, M] in [-1, 1].

    The mean over channels and 7x7 windows with sample covariance, as scikit-image's `structural_similarity` defines it
    (Wang et al. 2004). All products of two windows are one matrix product, which is what makes it fast.
    Raises ValueError for sides below 7 pixels.
    """
    count, channels, height, width = first.shape
    if min(height, width) < _WINDOW:
        raise ValueError(f"ssim needs sides of at least {_WINDOW} pixels, got {height}x{width}")
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
    """Images [N, H, W] in [-1, 1] to windows [N, H', W', 49] of values in [0, 1]."""
    unit = (images.float() + 1) / 2
    return unit.unfold(1, _WINDOW, 1).unfold(2, _WINDOW, 1).flatten(3)


def _similarity(first: Tensor, second: Tensor) -> Tensor:
    """The sum over windows of the similarity of each pair [N, M], from windows [N, h, w, 49] and [M, h, w, 49]."""
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

    probabilities [N, K] whose rows sum to 1; the score lies in [1, K]. splits: the mean of the scores of at
    most so many parts of one length, one after another, as torchmetrics cuts them (12 rows in 10 parts are 6 of two).
    """
    if splits > 1:
        parts = probabilities.chunk(splits)
        return sum(map(inception_score, parts)) / len(parts)
    conditional = probabilities.double()
    marginal = conditional.mean(dim=0, keepdim=True)
    divergence = torch.special.xlogy(conditional, conditional) - torch.special.xlogy(conditional, marginal)
    return float(divergence.sum(dim=1).mean().exp())


class _Through(torch.nn.Identity):
    """Hands features to torchmetrics as they are."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.num_features = width


def frechet_distance(real: Tensor, synthetic: Tensor) -> float:
    """Fréchet distance of Gaussians fitted to features [N, D] and [M, D] (Heusel et al. 2017), by torchmetrics.

    With fewer images than features, from the images themselves, without matrices [D, D]. Not a number below two images
    on either side.
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
    """Tr sqrt(S T) is the nuclear norm of A B^T, where S = A^T A and T = B^T B are the covariances."""
    sides = real, synthetic
    one, two = ((side - side.mean(dim=0)) / (len(side) - 1) ** 0.5 for side in sides)
    means = (real.mean(dim=0) - synthetic.mean(dim=0)).square().sum()
    return float(means + one.square().sum() + two.square().sum() - 2 * torch.linalg.matrix_norm(one @ two.T, "nuc"))


def polynomial_kernels(real: Tensor, synthetic: Tensor) -> Kernels:
    """(x.y / D + 1)^3 of features [N, D] and [M, D]: the kernel of KID (Binkowski et al. 2018, arXiv 1801.01401)."""
    x, y = real.double(), synthetic.double()
    return Kernels(*((a @ b.T / x.shape[1] + 1) ** 3 for a, b in ((x, x), (x, y), (y, y))))


def gaussian_kernels(real: Tensor, synthetic: Tensor) -> Kernels:
    """exp(-d^2 / median d^2), the median taken over all pairs of both sides together (Gretton et al. 2012).

    Of more than 2,000 images, over the pairs of as many of them, evenly spaced.
    """
    both = torch.cat([real, synthetic]).double()
    some = both[torch.linspace(0, len(both) - 1, min(len(both), _ENOUGH)).round().long()]
    scale = torch.pdist(some).square().median().clamp_min(1e-12) if len(both) > 1 else both.new_ones(())
    n, values = len(real), distances(both, both).square_().div_(-scale).exp_()
    return Kernels(values[:n, :n], values[:n, n:], values[n:, n:])


def distances(first: Tensor, second: Tensor) -> Tensor:
    """Euclidean distances float64 [N, M] of rows [N, D] and [M, D]."""
    return torch.cdist(first.double(), second.double())


def leave_one_out(images: Tensor, kin: Tensor | None = None) -> Tensor:
    """For each row [N, D] the distance [N] to the nearest other one; infinite without.

    kin bool [N, N] are rows that show the same: two files of one picture do not say how near others lie. They count
    where all rows are kin of each other, and nothing else says it.
    """
    found = distances(images, images)
    if kin is not None and not kin.all():
        found.masked_fill_(kin, float("inf"))
    return found.fill_diagonal_(float("inf")).min(dim=1).values


def copies(real: Tensor, synthetic: Tensor, quantile: float, kin: Tensor | None = None) -> Tensor:
    """Which synthetic rows [M, D] lie closer to a real row than that quantile of the real leave-one-out distances.

    kin bool [N, N] are real rows that show the same. bool [M]; [0] without two real rows, since nothing then says what
    close is. A row that equals a real one is a copy, however near those are to each other.
    """
    alone = leave_one_out(real, kin)
    if not len(synthetic) or not alone.isfinite().any():
        return torch.zeros(0, dtype=torch.bool)
    same = _SAME * real.double().norm(dim=1).max()
    close = alone[alone.isfinite()].quantile(quantile).clamp_min(float(same))
    return distances(synthetic, real).min(dim=1).values < close


def authentic(real: Tensor, synthetic: Tensor, kin: Tensor | None = None) -> Tensor:
    """Which synthetic rows are further from their nearest real row than that one is from its nearest real row.

    kin bool [N, N] are real rows that show the same. bool [M] (Alaa et al. 2022, arXiv 2102.08921); [0] without two
    real rows. What new real ones get depends on the data, often about one half.
    """
    alone = leave_one_out(real, kin)
    if not len(synthetic) or not alone.isfinite().any():
        return torch.zeros(0, dtype=torch.bool)
    found = distances(synthetic, real).min(dim=1)
    return found.values > alone[found.indices]


def precision(real: Tensor, synthetic: Tensor, k: int) -> float:
    """Share of synthetic rows inside the real manifold of k-nearest-neighbour balls (Kynkäänniemi et al. 2019)."""
    return _inside(distances(real, synthetic), _radii(real, k)).any(dim=0).double().mean().item()


def recall(real: Tensor, synthetic: Tensor, k: int) -> float:
    """Share of real rows inside the synthetic manifold of k-nearest-neighbour balls (Kynkäänniemi et al. 2019)."""
    return precision(synthetic, real, k)


def density(real: Tensor, synthetic: Tensor, k: int) -> float:
    """In how many real balls a synthetic row lies, over k (Naeem et al. 2020, arXiv 2002.09797); 1 is expected."""
    return _inside(distances(real, synthetic), _radii(real, k)).double().sum(dim=0).mean().item() / k


def coverage(real: Tensor, synthetic: Tensor, k: int) -> float:
    """Share of real balls that hold a synthetic row (Naeem et al. 2020); in expectation 1 - 2^-k for equal numbers."""
    return _inside(distances(real, synthetic), _radii(real, k)).any(dim=1).double().mean().item()


def _radii(rows: Tensor, k: int) -> Tensor:
    """Distance [N] to the k-th nearest other row; to the furthest one where there are fewer."""
    found = distances(rows, rows)
    return found.kthvalue(min(k + 1, len(rows)), dim=1).values


def _inside(found: Tensor, radii: Tensor) -> Tensor:
    return found <= radii[:, None]
