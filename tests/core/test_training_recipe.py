"""A recommended arm survives its file, and the torch parts of its recipe are those of the study's own training."""

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from genaug import training_recipe
from genaug.config import AllowedChanges
from genaug.data.folder import load_folder
from genaug.errors import DataError, UsageError
from genaug.images import to_float
from genaug.mixing.live import MixedDataset
from genaug.output.files import STUDY, TRAINING
from genaug.run.config import RunConfig
from genaug.studies.arms import real_arms, synthetic_arms
from genaug.studies.classifier_training import batch_size, study_training
from genaug.studies.learner import ClassifierSpec, Learner, RecipeOrder
from genaug.studies.question import Question
from genaug.studies.recommended import allowed_by_all, arm_of, question_of, run_config_of, training_file
from genaug.studies.settings import StudyConfig
from genaug.studies.synthetic_sets import SyntheticSetTask
from genaug.studies.training_file import read_training_file, write_training_file
from genaug.testing.material import tiny_split
from genaug.training import train
from PIL import Image
from pydantic import ValidationError
from torch.utils.data import DataLoader
from torchvision.datasets.folder import default_loader
from torchvision.transforms.functional import to_tensor

from tests.folders import fill

RECIPES = ("concatenate", "anneal=0.4", "cap=0.5,weight=0.3", "mixup=1,soft_labels=0.5")
SCORE = {"mean": 0.9, "low": 0.8, "high": None}
ALLOWED = AllowedChanges(flips=("horizontal",), turns=False)


@pytest.fixture
def question(tmp_path) -> Question:
    data = fill(tmp_path / "photos/signs", {"caf\udce9": 4, "stop: #1": 3})
    run = RunConfig(generator="oversample", per_class=7, on_shortfall="leave", overdraw=1e-5 + 2, seed=3)
    return Question(load_folder(data), {"oversample": run}, StudyConfig(recipes=RECIPES, counts=(5, 7), steps=40))


@pytest.fixture
def written(question, tmp_path):
    """Writes the file of an arm into STUDY and returns that folder."""

    def write(arm) -> Path:
        out = tmp_path / "studies/one"
        out.mkdir(parents=True, exist_ok=True)
        write_training_file(out, training_file(question, arm, SCORE, ALLOWED, out))
        return out

    return write


def arms(question):
    recipes = question.settings.parsed_recipes()
    return [*real_arms(), *synthetic_arms(["oversample"], recipes, (5, 7), uneven=True, alone=True)]


def test_every_arm_survives_its_file_with_the_images_and_the_run_of_the_study(question, written, tmp_path):
    for arm in arms(question):
        file, home = read_training_file(written(arm))
        assert arm_of(file) == arm
        assert (file.seed, file.training.steps, file.balanced_accuracy.low) == (3, 40, 0.8)
        assert (home / file.data.folder).resolve() == question.loaded.scan.root.resolve()
        assert file.data.classes == question.loaded.spec.classes
        if arm.generator:
            again = question_of(file, question.loaded)
            tasks = [
                SyntheticSetTask(one.loaded, one.runs["oversample"], one.versions["oversample"], False, tmp_path)
                for one in (question, again)
            ]
            assert tasks[0].path == tasks[1].path


def test_a_run_from_a_study_holds_what_a_folder_can_hold(question, written):
    found = {}
    for arm in arms(question):
        config = run_config_of(read_training_file(written(arm))[0])
        found[arm.name] = (config.generator, config.balance, config.per_class, config.recipe)
    assert found["real"] == ("oversample", None, 0, "concatenate")
    assert found["real, balanced"] == ("oversample", "max", None, "concatenate")
    assert found["classical"] == ("classical", None, 0, "concatenate")
    assert found["classical, balanced"] == ("classical", "max", None, "concatenate")
    assert found["real + 5 oversample"] == ("oversample", None, 5, "concatenate")
    assert found["classical + 7 oversample (anneal, start=0.4), balanced"] == ("oversample", None, 7, "concatenate")
    assert found["real + 7 oversample (cap=0.5, weight=0.3)"][3] == "concatenate,cap=0.5,weight=0.3"
    variants = run_config_of(read_training_file(written(real_arms()[3]))[0]).generators["classical"]["model"]
    assert variants == {"flips": ["horizontal"], "turns": False, "hue": True}


@pytest.mark.parametrize(
    ("key", "value", "error", "words"),
    [
        ("steps", 3, UsageError, "unknown key of .*training.yaml 'steps'"),
        ("balanced", 3, UsageError, "balanced: "),
        ("training", {"steps": 0}, UsageError, "training.steps: .*greater than or equal to 1, got 0"),
        ("training", {"step": 1}, UsageError, "training.step: extra inputs are not permitted"),
        ("format", 2, DataError, "has the format 2, and this genaug reads 1; update genaug"),
    ],
)
def test_a_changed_file_is_refused_with_the_key_that_is_wrong(question, written, key, value, error, words):
    out = written(real_arms()[0])
    values = yaml.safe_load((out / TRAINING).read_text("utf-8"))
    values[key] = values[key] | value if isinstance(value, dict) else value
    (out / TRAINING).write_text(yaml.safe_dump(values), "utf-8")
    with pytest.raises(error, match=words):
        training_recipe(out)


def test_a_change_is_used_if_the_probes_of_all_splits_allow_it():
    found = [
        AllowedChanges(flips=("horizontal", "vertical"), hue=False),
        AllowedChanges(flips=("vertical",), turns=False),
        AllowedChanges(flips=("vertical", "horizontal")),
    ]
    assert allowed_by_all(found) == AllowedChanges(flips=("vertical",), turns=False, hue=False)
    assert allowed_by_all([AllowedChanges()] * 2) == AllowedChanges()


def test_the_file_is_frozen_and_a_folder_without_one_is_refused(question, written, tmp_path):
    file, _ = read_training_file(written(real_arms()[0]))
    with pytest.raises(ValidationError, match="frozen"):
        file.seed = 1
    with pytest.raises(DataError, match=r"training.yaml is not there: give a finished study"):
        training_recipe(tmp_path)
    (tmp_path / STUDY).write_text("{}", "utf-8")
    with pytest.raises(DataError, match="it was studied by an older genaug; run the same study again"):
        training_recipe(tmp_path)


@pytest.mark.parametrize("network", ["small", "resnet18"])
def test_learning_rates_and_optimiser_are_those_of_the_training_loop(question, written, network):
    training = study_training(network, 9, 4, None)
    seen = []

    class Watched(Learner):
        def optimizer(self, name):
            self.used = super().optimizer(name)
            return self.used

    split = tiny_split(3, 16, 16, counts=(4, 4))
    mixed = MixedDataset.of(split.images, split.labels, split.images[:0], split.labels[:0], split.spec.classes)
    learner = Watched(split.spec, ClassifierSpec(network, None, "", 9, "cpu"), mixed, training, 0)
    train(
        learner,
        split,
        training.loop(),
        seed=0,
        report=lambda _: seen.append([group["lr"] for group in learner.used.param_groups]),
    )
    recipe = recipe_of(written(real_arms()[0]), network, training)
    optimizer = recipe.optimizer(recipe.network())
    schedule, rates = recipe.schedule(optimizer), []
    for _ in range(9):
        rates.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        schedule.step()
    assert type(optimizer) is type(learner.used)
    assert np.allclose(rates, seen, rtol=1e-9)
    assert len(set(map(tuple, seen))) > 4


def recipe_of(out: Path, network: str, training):
    """The recipe of a study's file with another network and training."""
    values = yaml.safe_load((out / TRAINING).read_text("utf-8"))
    changed = {"network": {"name": network}, "training": training.model_dump(mode="json")}
    (out / TRAINING).write_text(yaml.safe_dump(values | changed), "utf-8")
    return training_recipe(out)


def test_a_script_with_these_parts_trains_the_classifier_of_the_study(question, written):
    recipe, loaded = training_recipe(written(real_arms()[1])), question.loaded.train
    images, labels = to_float(loaded.images), torch.from_numpy(loaded.labels)
    with torch.random.fork_rng():
        model = recipe.network(images)
    model = without_dropout(model)  # its random numbers are the only ones that differ
    start, losses, expected = copy.deepcopy(model), [], []
    optimizer = recipe.optimizer(model)
    schedule = recipe.schedule(optimizer)
    for rows in DataLoader(range(len(labels)), recipe.batch_size, sampler=recipe.sampler(labels)):
        loss = recipe.loss(model(recipe.augment(images[rows])), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())

    class Prepared(Learner):
        def build(self):
            return {"classifier": start}

    mixed = MixedDataset.of(
        loaded.images, loaded.labels, loaded.images[:0], loaded.labels[:0], recipe.classes, {"balanced": True}
    )
    file, _ = read_training_file(written(real_arms()[1]))
    learner = Prepared(loaded.spec, ClassifierSpec("small", None, "", 40, "cpu"), mixed, file.training, 3)
    order = RecipeOrder(mixed, batch_size=recipe.batch_size, steps=40, seed=3)
    train(
        learner,
        loaded,
        file.training.loop(),
        seed=3,
        order=order,
        report=lambda progress: expected.append(progress.losses["classifier"]),
    )
    assert losses == pytest.approx(expected, rel=1e-3)
    assert losses[-1] < losses[0] / 2


def without_dropout(network):
    """The same network without randomness of its own."""
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return network


def test_the_sampler_shows_the_images_of_the_study_in_its_order(question, written):
    labels = question.loaded.train.labels
    for arm in (real_arms()[0], real_arms()[1]):
        recipe = training_recipe(written(arm))
        shown = list(recipe.sampler(labels.tolist()))
        images = question.loaded.train.images
        rows = {"balanced": arm.balanced}
        mixed = MixedDataset.of(images, labels, images[:0], labels[:0], question.loaded.spec.classes, rows)
        order = RecipeOrder(mixed, batch_size=recipe.batch_size, steps=40, seed=3)
        assert shown == [row for step in range(40) for row in order.rows(step, recipe.batch_size).tolist()]
        assert len(shown) == len(recipe.sampler(labels)) == 40 * recipe.batch_size == 40 * batch_size(7)
        counts = np.bincount(labels[shown])
        assert (abs(counts[0] - counts[1]) <= 1) == arm.balanced


def test_the_sampler_of_a_recipe_needs_to_know_which_images_are_synthetic(question, written):
    (anneal,) = [arm for arm in arms(question) if arm.name == "real + 5 oversample (anneal, start=0.4)"]
    recipe = training_recipe(written(anneal))
    labels, synthetic = [0, 0, 1, 1, 0, 1], [False] * 4 + [True] * 2
    with pytest.raises(UsageError, match="the recipe anneal needs to know which images are synthetic"):
        recipe.sampler(labels)
    shown = np.isin(list(recipe.sampler(labels, synthetic)), [4, 5])
    first, second = np.split(shown, 2)
    assert first.mean() == pytest.approx(0.3, abs=0.02)
    assert second.mean() == pytest.approx(0.1, abs=0.02)


def test_changes_follow_the_global_seed_and_are_those_that_the_study_allows(question, written):
    images = torch.rand(6, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    plain, classical = (training_recipe(written(real_arms()[place])) for place in (0, 2))
    assert plain.augment(images) is images
    with torch.random.fork_rng():
        torch.manual_seed(5)
        first, other = classical.augment(images), classical.augment(images)
        torch.manual_seed(5)
        again = classical.augment(images)
    assert torch.equal(first, again)
    assert not torch.allclose(first, other, atol=0.1)
    assert not torch.allclose(first, images, atol=0.1)
    assert first.abs().max() <= 1
    file, _ = read_training_file(written(real_arms()[2]))
    assert (file.training.augmentation.degrees, file.training.augmentation.flips) == (0.0, ("horizontal",))


def test_images_are_prepared_as_the_study_reads_them(question, written, tmp_path):
    loaded, recipe = question.loaded, training_recipe(written(real_arms()[0]))
    split = loaded.splits["train"]
    for path, pixels in zip(split.paths, split.images, strict=True):
        expected = to_tensor(pixels) * 2 - 1
        assert torch.allclose(recipe.prepare(Image.open(path)), expected, atol=1e-6)
    image = Image.open(split.paths[0])
    assert recipe.transform(image).shape == (3, *recipe.size)
    turned = image.rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.png", exif=exif)
    for opened in (Image.open(tmp_path / "turned.png"), default_loader(tmp_path / "turned.png")):
        assert torch.allclose(recipe.prepare(opened), recipe.prepare(image), atol=1e-6)
    with pytest.raises(DataError, match="the image cannot be used: 32-bit floating-point pixels"):
        recipe.prepare(Image.new("F", (20, 20)))


def test_blends_give_shares_of_both_classes_and_other_recipes_the_labels(question, written):
    images, labels = torch.stack([torch.zeros(3, 8, 8), torch.ones(3, 8, 8)]), torch.tensor([0, 1])
    (mixup,) = [arm for arm in arms(question) if arm.name == "real + 5 oversample (mixup, soft_labels=0.5)"]
    blended, shares = training_recipe(written(mixup)).blend(images, labels)
    assert torch.allclose(blended.mean(dim=(1, 2, 3)), shares[:, 1], atol=1e-5)
    assert torch.allclose(shares.sum(dim=1), torch.ones(2))
    assert 0 < shares[0, 1] < 1
    plain = training_recipe(written(real_arms()[0]))
    assert plain.blend(images, labels) == (images, labels)


def test_the_loss_is_torchs_smoothed_cross_entropy_with_weights(question, written):
    loss = training_recipe(written(real_arms()[0])).loss
    logits = torch.randn(5, 2, generator=torch.Generator().manual_seed(1))
    labels, weights = torch.tensor([0, 1, 1, 0, 1]), torch.tensor([1.0, 1.0, 0.0, 0.0, 0.0])
    smoothed = torch.nn.CrossEntropyLoss(label_smoothing=0.05)
    assert torch.allclose(loss(logits, labels), smoothed(logits, labels))
    assert torch.allclose(loss(logits, labels, weights), smoothed(logits[:2], labels[:2]))


def test_a_study_of_images_from_memory_says_that_data_must_be_given(question, written, tmp_path):
    from genaug.studies.recommended import load_studied

    held = replace(question.loaded, scan=replace(question.loaded.scan, owner=object()))
    out = written(real_arms()[0])
    file = training_file(replace(question, loaded=held), real_arms()[0], SCORE, ALLOWED, out)
    assert file.data.folder is None
    with pytest.raises(UsageError, match="read its images from memory, so say where they are now: give DATA"):
        load_studied(file, out)
