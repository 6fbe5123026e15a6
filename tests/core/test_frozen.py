"""Frozen networks: features are computed once, only the linear layer learns, and the saved network answers the same."""

import json

import numpy as np
import pytest
import torch
from genaug import predict, train, training_recipe
from genaug.config import AllowedChanges
from genaug.errors import DataError, UsageError
from genaug.mixing.live import MixedDataset
from genaug.storage import file_sha256
from genaug.studies.classifier_training import ImageChanges
from genaug.studies.frozen import VARIANTS, FrozenFeatures, check_frozen, frozen_network, make_classifier
from genaug.studies.learner import ClassifierSpec, learn, logits_of
from genaug.studies.training_file import read_training_file
from genaug.testing.material import tiny_split
from PIL import Image
from safetensors.torch import load_file, save_file

NETWORK = "timm:test_efficientnet"
CHANGES = ImageChanges.within(AllowedChanges())


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file of random weights of a tiny network, with a last layer of seven classes."""
    import timm

    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        save_file(timm.create_model("test_efficientnet", num_classes=7).state_dict(), path)
    return path


@pytest.fixture
def split():
    """Dark images of one class and bright ones of the other."""
    plain = tiny_split(3, 16, 16, counts=(10, 10))
    images = plain.images // 3 + (plain.labels * 150).astype(np.uint8)[:, None, None, None]
    return MixedDataset.of(images, plain.labels, images[:0], plain.labels[:0], plain.spec.classes), plain.spec


def test_each_image_and_copy_goes_through_the_network_once(weights, split):
    mixed, spec = split
    network = frozen_network(NETWORK, spec, weights)
    shown = []
    network.base.register_forward_hook(lambda _, given, found: shown.append(len(found)))
    features = FrozenFeatures(network, "cpu")
    plain = features.of(mixed.images, None)
    changed = features.of(mixed.images, CHANGES)
    again = features.of(mixed.images[::-1].copy(), CHANGES)
    assert sum(shown) == 20 * (1 + VARIANTS)
    assert plain.shape[:2] == (20, 1)
    assert changed.shape[:2] == (20, 1 + VARIANTS)
    assert torch.equal(plain[:, 0], changed[:, 0])
    assert torch.equal(again, changed.flip(0))
    assert all(not torch.allclose(changed[:, 0], changed[:, copy], atol=1e-3) for copy in range(1, 1 + VARIANTS))
    alone = FrozenFeatures(network, "cpu").of(mixed.images[3:4], CHANGES)
    assert torch.allclose(alone[0], changed[3], atol=1e-4), "a copy does not depend on the other images"


@pytest.mark.parametrize("allowed", [None, AllowedChanges()])
def test_only_the_linear_layer_learns_and_the_saved_network_gives_the_same_logits(weights, split, allowed):
    mixed, spec = split
    classifier = ClassifierSpec(NETWORK, weights, file_sha256(weights), 60, "cpu", frozen=True)
    learner = learn(spec, mixed, classifier, allowed=allowed, batch=20, seed=0)
    assert (learner.predict(mixed.images) == mixed.labels.numpy()).mean() > 0.9
    with torch.random.fork_rng():
        network = make_classifier(NETWORK, spec, frozen=True)
    network.load_state_dict(learner.state())
    assert torch.allclose(logits_of(network, mixed.images), learner.logits(mixed.images), atol=1e-3)
    stored = load_file(weights)
    kept = {name.removeprefix("base.network."): value for name, value in learner.state().items()}
    assert all(torch.equal(kept[name], stored[name]) for name in stored if not name.startswith("classifier"))


def test_unusable_networks_are_refused(weights, split, tmp_path):
    _, spec = split
    for name, path in (("small", weights), (NETWORK, None)):
        with pytest.raises(UsageError, match="frozen features come from a network that has learned from other images"):
            check_frozen(name, spec, path)
    tensors = load_file(weights)
    tensors.pop(next(iter(tensors)))
    save_file(tensors, tmp_path / "cut.safetensors")
    with pytest.raises(DataError, match=r"cut\.safetensors holds weights of another network"):
        check_frozen(NETWORK, spec, tmp_path / "cut.safetensors")
    (tmp_path / "text.safetensors").write_text("no weights", "utf-8")
    with pytest.raises(DataError, match="holds no weights that can be read safely"):
        check_frozen(NETWORK, spec, tmp_path / "text.safetensors")


def test_a_study_with_frozen_features_leaves_a_classifier_that_needs_no_other_file(weights, split, tmp_path, genaug):
    mixed, _ = split
    data, study = tmp_path / "lights", tmp_path / "lights-study"
    for number, (pixels, label) in enumerate(zip(mixed.images, mixed.labels.tolist(), strict=True)):
        (data / "ab"[label]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(data / "ab"[label] / f"{number:02d}.png")
    options = ("-g", "oversample", "--per-class", 1, "--folds", 2, "--repeats", 1, "--seeds", 1, "--workers", 1)
    code, shown, err = genaug(
        "study", data, *options, "--steps", 40, "--classifier", NETWORK, "--weights", weights, "--frozen", "--json"
    )
    assert code == 0, err
    assert min(arm["balanced_accuracy"]["mean"] for arm in json.loads(shown)["arms"]) > 0.8
    file, _ = read_training_file(study)
    assert (file.network.frozen, file.network.sha256) == (True, file_sha256(weights))
    code, _, err = genaug("train", study, "--workers", 1)
    assert code == 0, err
    found = predict(tmp_path / "lights-study-classifier", data)
    assert np.mean([name[0] == label for name, label in zip(found.files, found.labels, strict=True)]) > 0.9
    assert "a linear layer on its features" in (tmp_path / "lights-study-classifier/README.md").read_text("utf-8")

    recipe = training_recipe(study)
    with torch.random.fork_rng():
        network = recipe.network(torch.zeros(2, 3, *recipe.size))
    moved = [parameter.shape for group in recipe.optimizer(network).param_groups for parameter in group["params"]]
    assert moved == [network.head.linear.weight.shape, network.head.linear.bias.shape]
    assert not network.train().base.training

    other = tmp_path / "other.safetensors"
    other.write_bytes(weights.read_bytes() + b" ")
    with pytest.raises(DataError, match="does not hold the initial weights of the study"):
        train(study, tmp_path / "model", weights=other)
    code, _, err = genaug("study", data, *options, "--frozen", "-o", tmp_path / "refused")
    assert code == 2
    assert "give --classifier, such as timm:tf_efficientnet_lite0, and the file of its weights (--weights)" in err
