"""The training loop: bitwise resume, random generators, failures, learning rates, averages, order of rows."""

import math
import weakref
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from genaug.config import GeneratorConfig, TrainConfig
from genaug.data.split import TrainSplit
from genaug.errors import PluginError, TrainingError, UsageError
from genaug.generator import Batch
from genaug.training import Progress, resolve_device, resolve_precision, resolved_steps, train
from genaug.training.muon import Muon, orthogonalised
from genaug.training.order import Order
from genaug.training.state import _average
from torch import Tensor, nn

from tests.models import TinyGAN, same

CONFIG = TrainConfig(steps=40, batch_size=4, balanced=True, average_decay=0.9, clip_norm=1.0, schedule="cosine")


class Stopped(BaseException):
    """Interrupts a training."""


def stop_at(step: int):
    def report(progress: Progress) -> None:
        if progress.step == step:
            raise Stopped

    return report


@pytest.mark.parametrize("precision", ["no", "bf16"])
@pytest.mark.parametrize("step", [1, 23, 39])
def test_resuming_equals_never_having_stopped(split, tiny, weights, tmp_path, precision, step):
    whole, broken = tiny(), tiny()
    train(whole, split, CONFIG, seed=1, precision=precision)
    with pytest.raises(Stopped):
        train(tiny(), split, CONFIG, seed=1, precision=precision, checkpoints=tmp_path, report=stop_at(step))
    seen: list[int] = []
    train(
        broken, split, CONFIG, seed=1, precision=precision, checkpoints=tmp_path, report=lambda p: seen.append(p.step)
    )
    assert same(weights(whole), weights(broken))
    assert seen[0] == 2 * (step // 2) + 1, "it continued from the last checkpoint, not from the start"


class Mean(TinyGAN):
    """Learns the mean of the images: its gradient is linear in them."""

    averaged = frozenset[str]()

    def build(self):
        return {"mean": nn.ParameterDict({"value": nn.Parameter(torch.zeros(()))})}

    def optimizer(self, name):
        return torch.optim.SGD(self.networks[name].parameters(), lr=0.1)

    def losses(self, batch):
        yield "mean", (self.networks["mean"]["value"] - batch.images).square().mean() / 2


def mean_after(split, seen=None, **settings):
    learner = Mean(split.spec, GeneratorConfig())
    train(learner, split, TrainConfig(**settings), seed=0, report=lambda p: seen is None or seen.append(value(learner)))
    return value(learner)


def value(learner):
    return learner.networks["mean"]["value"].item()


def test_gradients_of_several_steps_are_averaged_before_the_weights_move(split):
    seen = []
    found = mean_after(split, seen, steps=4, batch_size=2, accumulation=2)
    assert seen[0] == 0 != seen[1] == seen[2] != seen[3] == found
    alone = mean_after(split, steps=2, batch_size=len(split), accumulation=2)
    assert alone == pytest.approx(mean_after(split, steps=1, batch_size=len(split)), rel=1e-6)
    odd = []
    mean_after(split, odd, steps=3, batch_size=2, accumulation=2)
    assert odd[1] != odd[2], "the last step updates the weights though the number of steps is odd"


@pytest.mark.parametrize("step", [1, 7, 23, 39])
def test_a_training_with_accumulation_resumes_where_no_gradients_are_pending(split, tiny, weights, tmp_path, step):
    whole, broken = tiny(), tiny()
    config = CONFIG.model_copy(update={"accumulation": 3, "checkpoint_steps": 2})
    train(whole, split, config, seed=1)
    with pytest.raises(Stopped):
        train(tiny(), split, config, seed=1, checkpoints=tmp_path, report=stop_at(step))
    seen: list[int] = []
    train(broken, split, config, seed=1, checkpoints=tmp_path, report=lambda p: seen.append(p.step))
    assert same(weights(whole), weights(broken))
    assert seen[0] == 3 * (step // 3) + 1


def test_a_checkpoint_of_other_settings_is_not_used(split, tiny, tmp_path):
    train(tiny(), split, CONFIG, seed=1, checkpoints=tmp_path)
    seen: list[int] = []
    train(tiny(), split, CONFIG, seed=2, checkpoints=tmp_path, report=lambda p: seen.append(p.step))
    assert seen[0] == 1


def test_training_leaves_global_chance_and_threads_untouched(split, tiny):
    torch.manual_seed(7)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    train(tiny(), split, CONFIG, seed=1, threads=1)
    assert torch.equal(before, torch.get_rng_state())
    assert threads == torch.get_num_threads()


def test_the_seed_decides_the_weights(split, tiny, weights):
    first, again, other = tiny(), tiny(), tiny()
    torch.manual_seed(1)
    train(first, split, CONFIG, seed=1)
    torch.manual_seed(2)
    train(again, split, CONFIG, seed=1)
    train(other, split, CONFIG, seed=2)
    assert same(weights(first), weights(again))
    assert not same(weights(first), weights(other))


def test_a_loss_updates_its_own_network_only(split):
    class OnlyJudge(TinyGAN):
        def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
            fake = self.networks["generator"](batch.noise.normal(8))
            yield "discriminator", self.networks["discriminator"](fake).mean()

    model, fresh = OnlyJudge(split.spec, GeneratorConfig()), OnlyJudge(split.spec, GeneratorConfig())
    train(fresh, split, TrainConfig(steps=1), seed=3)
    train(model, split, TrainConfig(steps=5), seed=3)
    assert same(model.networks["generator"].state_dict(), fresh.networks["generator"].state_dict())
    assert not same(model.networks["discriminator"].state_dict(), fresh.networks["discriminator"].state_dict())


class Exploding(TinyGAN):
    """Its loss is not a number from step `fails` on, as long as the learning rate is above `bearable`."""

    bearable, fails = 0.0, 20

    def optimizer(self, name: str) -> torch.optim.Optimizer:
        self.last = torch.optim.SGD(self.networks[name].parameters(), lr=0.1)
        return self.last

    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        for name, loss in super().losses(batch):
            rate = self.last.param_groups[0]["lr"] if batch.step else 0.0
            yield name, loss * (math.nan if batch.step >= self.fails and rate > self.bearable else 1.0)


@pytest.mark.parametrize(("fails", "back_to"), [(21, 21), (20, 1)])
def test_a_loss_that_is_not_finite_goes_back_once_with_half_the_rate(split, tmp_path, fails, back_to):
    """Checkpoints come every second step; the one of the failing step itself is of no use."""
    model = Exploding(split.spec, GeneratorConfig())
    model.bearable, model.fails = 0.06, fails
    steps: list[int] = []
    train(model, split, TrainConfig(steps=30), seed=1, checkpoints=tmp_path, report=lambda p: steps.append(p.step))
    assert steps == [*range(1, fails + 1), *range(back_to, 31)]
    assert model.last.param_groups[0]["lr"] == pytest.approx(0.05)


def test_a_loss_that_stays_infinite_ends_with_a_clear_error(split, tmp_path):
    with pytest.raises(TrainingError, match=r"loss of 'discriminator' was nan at step 20, and again after going back"):
        train(Exploding(split.spec, GeneratorConfig()), split, TrainConfig(steps=30), seed=1, checkpoints=tmp_path)


def test_a_training_that_a_rule_stops_has_the_same_history_resumed_or_not(split, tiny, weights, tmp_path):
    config = TrainConfig(steps=40, batch_size=4, checkpoint_steps=8)

    def run(**options):
        return train(tiny(), split, config, seed=1, stop=lambda step: step >= 24, **options)

    whole = run()
    with pytest.raises(Stopped):
        run(checkpoints=tmp_path, report=stop_at(20))
    resumed = run(checkpoints=tmp_path)
    assert [tuple(entry) for entry in resumed.history] == whole.history
    assert resumed.steps == whole.steps == len(whole.history) == 16
    assert same(weights(resumed), weights(whole))


def test_memory_that_runs_out_halves_the_batch(split):
    class Hungry(TinyGAN):
        def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
            if len(batch.images) > 3:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            yield from super().losses(batch)

    assert train(Hungry(split.spec, GeneratorConfig()), split, CONFIG, seed=1).batch_size == 2


@pytest.mark.parametrize("wanted", [{"steps": 12}, {"epochs": 3}])
def test_a_halved_batch_keeps_the_configured_steps_or_epochs(split, tmp_path, wanted):
    """Memory runs out at step 4: what is left takes twice as many steps only where epochs were given."""

    class Hungry(TinyGAN):
        def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
            if batch.step >= 4 and len(batch.images) > 2:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            yield from super().losses(batch)

    config = TrainConfig(batch_size=4, checkpoint_steps=1, **wanted)
    whole = resolved_steps(config, len(split))
    done = train(Hungry(split.spec, GeneratorConfig()), split, config, seed=1, checkpoints=tmp_path)
    assert done.batch_size == 2
    assert done.steps == (12 if "steps" in wanted else 4 + 2 * (whole - 4))


def test_memory_of_a_failed_step_is_freed_before_the_networks_are_built_again(split):
    """Also what optimisers hold, once they have moved a network."""
    held, alive = [], []

    class Hungry(TinyGAN):
        def build(self):
            alive.append([one() is not None for one in held])
            return super().build()

        def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
            yield from super().losses(batch)
            if batch.step and len(batch.images) > 3:
                large = torch.zeros(10)
                tensors = [large, *(one for net in self.networks.values() for one in net.parameters())]
                held.extend(weakref.ref(one) for one in tensors)
                raise torch.OutOfMemoryError("CUDA out of memory.")

    train(Hungry(split.spec, GeneratorConfig()), split, CONFIG, seed=1)
    assert alive == [[], [False] * len(held)]
    assert len(held) > 3


@pytest.mark.parametrize("checkpoint_steps", [1, 10])
def test_a_halved_batch_and_a_halved_rate_do_not_undo_each_other(split, tmp_path, checkpoint_steps):
    sizes = []

    class Doomed(TinyGAN):
        def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
            sizes.append(len(batch.images))
            if len(batch.images) > 2:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            for name, loss in super().losses(batch):
                yield name, loss * (math.nan if batch.step >= 2 else 1.0)

    config = TrainConfig(epochs=9, batch_size=4, checkpoint_steps=checkpoint_steps)
    with pytest.raises(TrainingError, match="and again after going back"):
        train(Doomed(split.spec, GeneratorConfig()), split, config, seed=1, checkpoints=tmp_path)
    assert sizes == [4] + [2] * 6


def test_memory_that_is_too_small_for_one_image_ends_with_a_clear_error(split):
    class Starving(TinyGAN):
        def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
            raise torch.OutOfMemoryError("CUDA out of memory.")
            yield

    with pytest.raises(TrainingError, match="memory is too small for one image of 16x16"):
        train(Starving(split.spec, GeneratorConfig()), split, CONFIG, seed=1)


def test_a_loss_of_an_unknown_network_names_the_known_ones(split):
    class Lost(TinyGAN):
        def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
            yield "critic", batch.images.mean()

    with pytest.raises(PluginError, match="losses named 'critic'; build returned generator, discriminator"):
        train(Lost(split.spec, GeneratorConfig()), split, CONFIG, seed=1)


def test_a_trainable_without_networks_is_allowed(split):
    class Nothing(TinyGAN):
        averaged = frozenset()

        def build(self) -> dict[str, nn.Module]:
            return {}

    assert train(Nothing(split.spec, GeneratorConfig()), split, CONFIG, seed=1).networks == {}


def test_the_average_is_used_after_training(split, weights):
    plain, averaged = TinyGAN(split.spec, GeneratorConfig()), TinyGAN(split.spec, GeneratorConfig())
    train(plain, split, CONFIG.model_copy(update={"average_decay": 0.0}), seed=1)
    train(averaged, split, CONFIG, seed=1)
    first, second = weights(plain), weights(averaged)
    moved = {name.partition(".")[0] for name in first if not torch.equal(first[name], second[name])}
    assert moved == {"generator"}


def test_rates_warm_up_and_follow_half_a_cosine(split):
    class Watched(TinyGAN):
        rates: list[float]

        def optimizer(self, name: str) -> torch.optim.Optimizer:
            optimizer = torch.optim.SGD(self.networks[name].parameters(), lr=1.0)
            self.rates = []
            optimizer.register_step_pre_hook(lambda stepped, *_: self.rates.append(stepped.param_groups[0]["lr"]))
            return optimizer

        def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
            yield "generator", self.networks["generator"](batch.noise.normal(8)).mean()

    model = Watched(split.spec, GeneratorConfig())
    train(model, split, TrainConfig(steps=14, warmup_steps=4, schedule="cosine"), seed=1)
    rises, falls = [0.25, 0.5, 0.75, 1.0], [0.5 * (1 + math.cos(math.pi * k / 10)) for k in range(10)]
    assert model.rates == pytest.approx(rises + falls)


def test_half_a_cosine_can_end_above_zero(split):
    seen, whole = [], []
    for rates, left in ((seen, 0.25), (whole, 0.0)):

        class Watched(Mean):
            def optimizer(self, name):
                optimizer = super().optimizer(name)
                optimizer.register_step_pre_hook(lambda stepped, *_: rates.append(stepped.param_groups[0]["lr"]))  # noqa: B023
                return optimizer

        config = TrainConfig(steps=10, schedule="cosine", final_rate=left)
        train(Watched(split.spec, GeneratorConfig()), split, config, seed=0)
    assert seen == pytest.approx([0.1 * 0.25 + 0.75 * rate for rate in whole])


class Convolutional(TinyGAN):
    """Trained by Muon: a convolution, its bias and a linear head."""

    averaged = frozenset[str]()

    def build(self):
        layers = nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 6, 3, bias=False), nn.Flatten(), nn.LazyLinear(2)
        network = nn.Sequential(*layers)
        network(torch.zeros(1, 1, 16, 16))
        return {"classifier": network}

    def optimizer(self, name):
        return Muon.for_network(self.networks[name])

    def losses(self, batch):
        yield "classifier", nn.functional.cross_entropy(self.networks["classifier"](batch.images), batch.labels)


@pytest.mark.parametrize("step", [1, 23])
def test_resuming_with_muon_equals_never_having_stopped(split, weights, tmp_path, step):
    whole, broken = (Convolutional(split.spec, GeneratorConfig()) for _ in range(2))
    config = TrainConfig(steps=30, batch_size=4, balanced=True, schedule="cosine", warmup_steps=4)
    train(whole, split, config, seed=1)
    for report in (stop_at(step), None):
        with pytest.raises(Stopped) if report else nullcontext():
            train(broken, split, config, seed=1, checkpoints=tmp_path, report=report)
    assert same(weights(whole), weights(broken))


def test_muon_moves_filters_at_a_fixed_norm_and_all_else_by_adamw():
    chance = torch.Generator().manual_seed(0)
    filters, bias = (nn.Parameter(torch.randn(shape, generator=chance)) for shape in ((6, 4, 3, 3), (6,)))
    twin = nn.Parameter(bias.detach().clone())
    muon = Muon([filters], [bias], rate=0.0)
    adamw = torch.optim.AdamW([twin], lr=4e-3, weight_decay=0.05)
    for _ in range(5):
        filters.grad, bias.grad = (torch.randn(one.shape, generator=chance) for one in (filters, bias))
        twin.grad = bias.grad.clone()
        muon.step()
        adamw.step()
    assert filters.norm().item() == pytest.approx(math.sqrt(6), rel=1e-5)
    assert torch.allclose(bias, twin, atol=1e-7)


def test_without_a_fixed_norm_an_update_of_muon_has_the_size_of_jordans():
    gradients = torch.randn(2, 12, 3, generator=torch.Generator().manual_seed(0))
    weights = nn.Parameter(torch.randn(12, 3, generator=torch.Generator().manual_seed(1)))
    muon = Muon([weights], [], rate=0.1, fixed_norm=False)
    for gradient in gradients:
        before = weights.detach().clone()
        weights.grad = gradient.clone()
        muon.step()
        sizes = torch.linalg.svdvals((before - weights.detach()) / 0.1)
        assert bool(((sizes > 0.6 * 2) & (sizes < 1.3 * 2)).all())  # the root of 12 / 3


def test_muon_of_a_network_moves_all_convolutions_but_those_left_out():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ConvTranspose2d(4, 5, 3), nn.Linear(5, 5), nn.Conv2d(5, 3, 3))
    orthogonal, others = Muon.for_network(network, without=[network[3]]).param_groups
    assert [tuple(one.shape) for one in orthogonal["params"]] == [(4, 3, 3, 3), (4, 5, 3, 3)]
    assert sum(one.numel() for group in (orthogonal, others) for one in group["params"]) == sum(
        one.numel() for one in network.parameters()
    )


def test_an_update_of_muon_is_the_orthogonal_matrix_next_to_the_momentum():
    gradients = torch.randn(2, 6, 4, 3, 3, generator=torch.Generator().manual_seed(0))
    filters = nn.Parameter(torch.randn(6, 4, 3, 3, generator=torch.Generator().manual_seed(1)))
    muon = Muon([filters], [], rate=0.1)
    for gradient in gradients:
        before = filters.detach() * math.sqrt(6) / filters.detach().norm()
        filters.grad = gradient
        muon.step()
    momentum = 0.9 * gradients[0] + gradients[1]
    left, _, right = torch.linalg.svd((gradients[1] + 0.9 * momentum).flatten(1), full_matrices=False)
    update = ((before - filters.detach()) / 0.1).flatten(1)
    assert (update - left @ right).norm() < 0.25 * (left @ right).norm()


@pytest.mark.parametrize("shape", [(8, 40), (40, 8), (16, 16)])
def test_orthogonalised_matrices_keep_their_directions_and_lose_their_lengths(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    left, lengths, right = torch.linalg.svd(matrix, full_matrices=False)
    turned = left.T @ orthogonalised(matrix) @ right.T
    assert torch.allclose(turned, torch.diag(turned.diagonal()), atol=1e-3)
    large = turned.diagonal()[lengths > 0.01 * matrix.norm()]
    assert 0.6 < large.min() <= large.max() < 1.3


def test_muon_refuses_filters_that_are_no_matrix():
    with pytest.raises(ValueError, match="at least two dimensions"):
        Muon([nn.Parameter(torch.zeros(3))], [])


def test_balanced_order_shows_every_class_and_every_row_equally_often(split):
    order = Order(split.labels, seed=1, balanced=True)
    seen = np.concatenate([order.rows(step, 5) for step in range(12)])
    assert np.bincount(seen, minlength=8).tolist() == [6] * 5 + [10] * 3


def test_plain_order_shows_each_row_once_a_pass(split):
    order = Order(split.labels, seed=1, balanced=False)
    seen = np.concatenate([order.rows(step, 4) for step in range(4)])
    assert sorted(seen[:8]) == sorted(seen[8:]) == list(range(8))
    assert seen[:8].tolist() != seen[8:].tolist()


def test_epochs_count_passes(split: TrainSplit):
    assert resolved_steps(TrainConfig(epochs=10, batch_size=3), 8) == 30
    assert resolved_steps(TrainConfig(epochs=10, batch_size=32), 8) == 10


def test_a_missing_device_is_refused():
    with pytest.raises(UsageError, match=r"no device 'cuda:99'; available: cpu"):
        resolve_device("cuda:99")
    with pytest.raises(UsageError, match="no device 'tpu'"):
        resolve_device("tpu")


@pytest.mark.parametrize(
    ("instructions", "precision"),
    [({"avx512_bf16": True}, "bf16"), ({"bf16": True}, "bf16"), ({"avx512_f": True, "avx512_bf16": False}, "no")],
    ids=["x86", "ARM", "emulated"],
)
def test_auto_precision_is_bf16_where_the_processor_has_instructions_for_it(instructions, precision, monkeypatch):
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: instructions)
    assert resolve_precision("auto", "cpu") == precision


def test_auto_precision_is_one_that_the_plugin_supports(monkeypatch):
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: {"avx512_bf16": True})
    assert resolve_precision("auto", "cpu", ("no", "fp16")) == "no"
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda including_emulation: True)
    assert resolve_precision("auto", "cuda:0", ("no", "fp16")) == "fp16"
    assert resolve_precision("auto", "cuda:0", ("no",)) == "no"


def test_fp16_without_cuda_is_refused():
    with pytest.raises(UsageError, match="fp16 needs a CUDA device, got cpu"):
        resolve_precision("fp16", "cpu")


def test_a_damaged_checkpoint_starts_the_training_again(split, tiny, weights, tmp_path: Path):
    whole, again = tiny(), tiny()
    train(whole, split, CONFIG, seed=1)
    (tmp_path / "checkpoint").write_bytes(b"not a checkpoint")
    train(again, split, CONFIG, seed=1, checkpoints=tmp_path)
    assert same(weights(whole), weights(again))


def test_an_average_of_weights_holds_the_statistics_of_batch_norm_too():
    network = nn.BatchNorm1d(1)
    average = _average(network, 0.9)
    average.update_parameters(network)
    network.running_mean.fill_(11.0)
    average.update_parameters(network)
    assert average.module.running_mean.item() == pytest.approx(11 * (1 - 2 / 11))
