"""Models that start from a pooled one, and trainings that stop when images become copies."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from genaug.chance import Noise
from genaug.config import TrainConfig
from genaug.data.folder import load_folder
from genaug.features import near_groups
from genaug.fitting import load_model, load_sampler, read_record
from genaug.fitting.fit import enlarged, fit_tasks
from genaug.fitting.model import read_weights
from genaug.fitting.stop import CopyWatch
from genaug.generators.oversample import Oversample
from genaug.generators.plugin import OversampleConfig
from genaug.registry import load_registry
from genaug.run.config import RunConfig
from genaug.run.extra_images import draw_more
from genaug.run.generation import generate
from genaug.run.job import resolve
from genaug.run.pipeline import mix
from genaug.testing.material import tiny_split
from genaug.training import Progress, train
from PIL import Image


@pytest.fixture
def loaded(tmp_path):
    split = tiny_split(1, 16, 16, counts=(6, 4, 3))
    for row, (label, image) in enumerate(zip(split.labels, split.images, strict=True)):
        folder = tmp_path / "data" / "abc"[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[:, :, 0]).save(folder / f"{row}.png")
    return load_folder(tmp_path / "data")


def trained(loaded, tmp_path, generator, model=None, **train):
    registry = load_registry()
    settings = {"width": 8} | (model or {})
    config = RunConfig(generator=generator, preset="small", per_class=2, model=settings, train=train, select=("none",))
    job = resolve(config, loaded, registry)
    generated = generate(job, tmp_path / "models", tmp_path / "scratch", workers=1)
    return job, mix(generated), generated.records


@pytest.mark.parametrize("generator", ["dcgan", "cdcgan"])
def test_specialised_models_start_from_the_pooled_one(loaded, tmp_path, generator):
    _, mixed, records = trained(loaded, tmp_path, generator, steps=4, specialise_steps=1, average_decay=0.0)
    (pooled,) = (tmp_path / "scratch" / "pooled").glob("*/*.safetensors")
    start, end = read_weights(pooled)["generator"], read_weights(records[1].path)["generator"]
    far = max((end[name] - start[name]).abs().max().item() for name in start if "weight" in name)
    assert 0 < far < 0.01
    assert [record.steps for record in records] == [1, 1, 1]
    assert mixed.counts()["b"]["generated"] == 2


def test_a_specialised_conditional_model_draws_its_class(loaded, tmp_path):
    _, _, records = trained(loaded, tmp_path, "cdcgan", steps=3, specialise_steps=1)
    together = load_sampler([record.path for record in records], loaded.spec, load_registry())
    alone = load_model(records[1].path, load_registry().generators.get("cdcgan"))
    labels, noise = torch.tensor([1, 1]), [Noise.per_image(0, "t", [(0,), (1,)]) for _ in range(2)]
    assert torch.equal(together.sample(labels, noise[0]).images, alone.sample(labels, noise[1]).images)
    counts = draw_more(tmp_path / "models" / "cdcgan", tmp_path / "more", count=1)
    assert counts == {"a": 1, "b": 1, "c": 1}


def test_a_specialised_model_still_borrows_from_all_classes(loaded, tmp_path):
    _, mixed, _ = trained(loaded, tmp_path, "cvae", {"borrowed": 1.0}, steps=3, specialise_steps=1)
    labels = loaded.train.labels
    pairs = {(image.label, int(labels[parent])) for image in mixed.synthetic for parent in image.parents}
    assert any(own != other for own, other in pairs)


def test_the_pooled_model_is_trained_once_and_is_part_of_the_key_of_a_model(loaded, tmp_path):
    job, _, _ = trained(loaded, tmp_path, "dcgan", steps=3, specialise_steps=1)
    _, _, again = trained(loaded, tmp_path, "dcgan", steps=3, specialise_steps=1)
    _, _, other = trained(loaded, tmp_path, "dcgan", steps=2, specialise_steps=1)
    assert all(record.reused for record in again)
    assert not any(record.reused for record in other)
    (task, *_) = fit_tasks(job.shares[0].settings, loaded.train, tmp_path, tmp_path, [0])
    assert task.pooled.split.spec.classes == ("all",)
    assert len(task.pooled.split) == len(loaded.train)


def dcgan(split):
    from genaug.registry import make_generator

    description = load_registry().generators.get("dcgan")
    model = description.presets["small"](split.spec, "cpu").model.model_copy(update={"width": 4, "latent": 4})
    return make_generator(description, split.spec, model)


CONFIG = TrainConfig(steps=10, batch_size=4, checkpoint_steps=2, average_decay=0.5, schedule="cosine")


def weights(generator):
    nets = generator.networks.items()
    return {f"{name}.{key}": value.clone() for name, net in nets for key, value in net.state_dict().items()}


def same(one, two):
    return one.keys() == two.keys() and all(torch.equal(one[key], two[key]) for key in one)


class KilledError(Exception):
    pass


def stopped(split, folder=None, kill_at=None):
    def report(progress: Progress) -> None:
        if progress.step == kill_at:
            raise KilledError

    generator = dcgan(split)
    result = train(generator, split, CONFIG, seed=0, checkpoints=folder, report=report, stop=lambda step: step >= 6)
    return weights(generator), result.steps


def test_a_training_that_a_rule_stops_ends_with_the_weights_of_the_checkpoint_before(tmp_path):
    split = tiny_split(1, 16, 16).of_class(0)
    seen = {}
    reference = dcgan(split)

    def record_weights(step: int) -> bool:
        seen[step] = weights(reference)
        return False

    train(reference, split, CONFIG, seed=0, stop=record_weights)
    found, steps = stopped(split)
    assert steps == 4
    assert same(found, seen[4])
    assert not same(found, seen[6])


@pytest.mark.parametrize("kill_at", [3, 5])
def test_a_stopped_training_resumes_to_the_same_weights(tmp_path, kill_at):
    split = tiny_split(1, 16, 16).of_class(0)
    with pytest.raises(KilledError):
        stopped(split, tmp_path, kill_at)
    resumed, steps = stopped(split, tmp_path)
    assert same(resumed, stopped(split)[0])
    assert steps == 4
    assert same(stopped(split, tmp_path)[0], resumed)


def test_a_stop_rule_does_not_change_the_training(tmp_path):
    split = tiny_split(1, 16, 16).of_class(0)
    plain, watched = dcgan(split), dcgan(split)
    train(plain, split, CONFIG, seed=0)
    watch = CopyWatch(watched, split, share=0.999, seed=0, device="cpu")
    assert train(watched, split, CONFIG, seed=0, stop=watch).steps == 10
    assert same(weights(plain), weights(watched))


def test_copies_stop_a_training_but_noise_does_not():
    split = tiny_split(1, 16, 16)
    assert CopyWatch(Oversample(split.spec, OversampleConfig()), split, share=0.05, seed=0, device="cpu")(0)
    fresh = dcgan(split.of_class(0))
    fresh.networks = fresh.build()
    assert not CopyWatch(fresh, split.of_class(0), share=0.05, seed=0, device="cpu")(0)


def test_copies_of_many_files_of_one_scene_stop_a_training_too():
    split = tiny_split(1, 16, 16).of_class(0)
    scene = np.random.default_rng(0).integers(0, 200, split.images.shape[1:])
    shaken = scene + np.random.default_rng(1).integers(0, 9, split.images.shape)
    burst = replace(split, images=shaken.astype(np.uint8))
    assert len(np.unique(near_groups(burst))) == 1
    assert CopyWatch(Oversample(burst.spec, OversampleConfig()), burst, share=0.05, seed=0, device="cpu")(0)


class HalfCopies(Oversample):
    """Every second image is a training image, the others are noise."""

    def sample(self, labels, noise):
        drawn = super().sample(labels, noise)
        drawn.images[::2] = noise.uniform(*drawn.images.shape[1:])[::2] * 2 - 1
        return drawn


@pytest.mark.parametrize(("share", "stops"), [(0.4, True), (0.6, False)])
def test_the_share_of_copies_is_what_stops_a_training(share, stops):
    split = tiny_split(1, 16, 16)
    watch = CopyWatch(HalfCopies(split.spec, OversampleConfig()), split, share=share, seed=0, device="cpu")
    assert watch(0) is stops


def test_the_setting_reaches_the_loop(loaded, tmp_path, monkeypatch):
    steps_seen = []
    monkeypatch.setattr(CopyWatch, "__call__", lambda self, step: steps_seen.append(step) or step >= 2)
    _, _, records = trained(loaded, tmp_path, "dcgan", steps=4, stop_at_copies=0.0, checkpoint_steps=1)
    assert steps_seen == [1, 2] * 3
    assert [record.steps for record in records] == [1, 1, 1]
    assert all(read_record(record.path).steps == 1 for record in records)


def test_models_of_one_class_each_have_their_own_variants(loaded, tmp_path):
    """The same image under two labels gets different rotations and colours."""
    config = RunConfig(generator="dcgan", per_class=1, size=(16, 16), augmentation={"pipeline": "paper"})
    settings = resolve(config, loaded, load_registry()).shares[0].settings
    split = replace(loaded.train, images=np.repeat(loaded.train.images[:1], len(loaded.train), axis=0))
    one, two = (enlarged(task) for task in fit_tasks(settings, split, tmp_path, tmp_path, [0, 1]))
    assert not np.array_equal(one.images[0], two.images[0])
