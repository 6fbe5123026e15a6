"""Cross-fitted classifiers, and networks whose weights are found, checked and read safely."""

import hashlib
import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from genaug.classifier import fit_classifier, load_classifier, save_classifier
from genaug.data.split import TrainSplit
from genaug.errors import DataError, OutputError, UsageError
from genaug.features import cross_fit, crossfit, extractors, make_extractor, near_groups, weights
from genaug.features.crossfit import fit_temperature
from genaug.features.weights import INCEPTION, Public, find_weights, load_state
from genaug.spec import ImageSpec
from genaug.testing.material import tiny_split
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from tests.folders import fill


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def inception(tmp_path_factory):
    """A file of random weights for Inception, in the published format."""
    blank = FeatureExtractorInceptionV3.__new__(FeatureExtractorInceptionV3)
    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(FeatureExtractorInceptionV3, "load_state_dict", lambda self, state: None)
        patched.setattr(torch, "load", lambda *_, **__: {})
        with torch.random.fork_rng():
            torch.manual_seed(0)
            blank.__init__("blank", ["2048"], "nowhere")
    torch.save(blank.state_dict(), path)
    return path


def images(count=3, channels=3, side=24):
    return np.random.default_rng(0).integers(0, 255, (count, side, side, channels), dtype=np.uint8)


def test_no_classifier_was_trained_on_an_image_that_it_judges(monkeypatch):
    split = tiny_split(1, 16, 16, counts=(9, 6))
    trained_on = []

    def fit_and_record(part, **options):
        trained_on.append(set(part.rows.tolist()))
        return fit_classifier(part, **options)

    monkeypatch.setattr(crossfit, "fit_classifier", fit_and_record)
    judges = cross_fit(split, seed=0, steps=2)
    for fold, rows in enumerate(trained_on):
        assert rows == set(split.rows[(judges.folds != fold).numpy()].tolist())
    again = cross_fit(split, seed=0, steps=2)
    assert len(judges.classifiers) == 3
    assert torch.equal(judges.folds, again.folds)
    parents = torch.arange(len(split))
    own = replace(judges, temperature=1.0).probabilities(split.images, parents)
    for fold, judge in enumerate(judges.classifiers):
        in_fold = (judges.folds == fold).numpy()
        assert torch.allclose(own[torch.from_numpy(in_fold)], judge.probabilities(split.images[in_fold]), atol=1e-6)


def test_near_duplicates_share_a_fold():
    split = tiny_split(1, 16, 16, counts=(4, 4))
    doubled = type(split).ordered(
        split.spec,
        np.repeat(split.images, 2, axis=0),
        np.repeat(split.labels, 2),
        [str(i) for i in range(16)],
        ["h"] * 16,
    )
    groups, folds = near_groups(doubled), cross_fit(doubled, seed=0, steps=1).folds.numpy()
    assert len(set(groups.tolist())) < len(doubled)
    assert all(len(set(folds[groups == group].tolist())) == 1 for group in groups)


def shapes(count, seed=0):
    """Grey 16x16 images of a bright vertical bar, horizontal bar or disc, at random places over noise."""
    chance = np.random.default_rng(seed)
    rows, columns = np.mgrid[:16, :16]
    pictures = []
    for label in range(3):
        for row, column in chance.integers(5, 11, (count, 2)):
            disc = (rows - row) ** 2 + (columns - column) ** 2 < 16
            shape = (abs(columns - column) < 2, abs(rows - row) < 2, disc)[label]
            pictures.append((chance.normal(80, 25, (16, 16)) + 90 * shape).clip(0, 255)[..., None])
    names = [f"{place:03}" for place in range(3 * count)]
    labels = np.repeat(np.arange(3), count)
    spec = ImageSpec(1, 16, 16, ("vertical", "horizontal", "disc"), (count,) * 3)
    return TrainSplit.ordered(spec, np.array(pictures, dtype=np.uint8), labels, names, names)


@pytest.fixture(scope="module")
def judged_shapes():
    """Planted shapes, and classifiers of a few steps."""
    split = shapes(20)
    return split, cross_fit(split, seed=0, steps=30)


def test_a_few_steps_recognise_planted_shapes():
    held_out = shapes(20, seed=1)
    found = fit_classifier(shapes(20), steps=40, seed=0).probabilities(held_out.images).argmax(dim=1).numpy()
    assert (found == held_out.labels).mean() > 0.8


def test_classifiers_scale_their_inputs_by_the_training_images(judged_shapes, tmp_path):
    split, judges = judged_shapes
    part = split.images[(judges.folds != 0).numpy()] / 127.5 - 1
    scaling = judges.classifiers[0].networks["classifier"][0]
    assert scaling.mean.item() == pytest.approx(part.mean(), abs=1e-5)
    assert scaling.spread.item() == pytest.approx(part.std(), rel=1e-3)
    save_classifier(tmp_path / "one.safetensors", judges.classifiers[0])
    again = load_classifier(tmp_path / "one.safetensors", split.spec)
    assert torch.equal(again.probabilities(split.images), judges.classifiers[0].probabilities(split.images))
    assert judges.features(split.images, torch.arange(60)).shape == (60, 128)


def test_calibration_lowers_the_cross_entropy_on_held_out_images(judged_shapes):
    split, judges = judged_shapes
    labels = split.labels.copy()
    labels[::5] = (labels[::5] + 1) % 3  # the judges are wrong for every fifth image
    chosen = judges.calibrated(replace(split, labels=labels)).temperature

    def cost(temperature):
        found = replace(judges, temperature=temperature).probabilities(split.images, torch.arange(60))
        return torch.nn.functional.nll_loss(found.log(), torch.from_numpy(labels)).item()

    assert judges.temperature < 1 < chosen < 4
    assert cost(chosen) < min(cost(1.0), cost(judges.temperature), cost(chosen * 1.1), cost(chosen * 0.9))


def test_the_temperature_of_overconfident_logits_is_found():
    chance = torch.Generator().manual_seed(0)
    logits = torch.randn(5000, 4, generator=chance).double() * 2
    labels = torch.multinomial(logits.softmax(dim=1), 1, generator=chance)[:, 0]
    assert fit_temperature(3 * logits, labels) == pytest.approx(3, rel=0.1)
    assert fit_temperature(logits / 100, labels) == pytest.approx(0.25, rel=0.01)


def test_a_single_fold_is_not_calibrated():
    split = tiny_split(1, 16, 16, counts=(1, 1))
    same = TrainSplit.ordered(split.spec, split.images[[0, 0]], split.labels, ["a", "b"], ["a", "b"])
    judges = cross_fit(same, seed=0, steps=2)
    assert (len(judges.classifiers), judges.temperature) == (1, 1.0)


def test_a_class_of_one_image_can_be_judged():
    judges = cross_fit(tiny_split(1, 16, 16, counts=(5, 1)), seed=0, steps=2)
    assert judges.probabilities(images(6, 1, 16), torch.arange(6)).shape == (6, 2)


def test_the_error_about_missing_weights_says_how_to_provide_them(tmp_path):
    with pytest.raises(DataError, match=r"--weights.*put it into .*checkpoints.*--allow-download"):
        make_extractor("inception")
    with pytest.raises(DataError, match=r"dinov2.*--weights"):
        make_extractor("dinov2")
    with pytest.raises(UsageError, match="expected a file"):
        make_extractor("inception", weights=tmp_path / "nothing.pth")


def test_unknown_weights_are_named_by_their_hash(inception):
    digest = hashlib.sha256(inception.read_bytes()).hexdigest()
    assert make_extractor("inception", weights=inception).name == f"inception:{digest[:4]}"
    assert make_extractor("inception", weights=inception, layer=64).features_name == f"inception:{digest[:4]}-64"


@pytest.mark.parametrize("layer", [64, 192, 768, 2048])
def test_inception_gives_features_of_the_layer_and_probabilities(inception, layer):
    views = make_extractor("inception", weights=inception, layer=layer).views(images())
    assert views.features.shape == (3, layer)
    assert torch.allclose(views.probabilities.sum(dim=1), torch.ones(3), atol=1e-5)


def test_weights_are_read_once_for_all_metrics_and_named_by_their_hash(inception, tmp_path, genaug, monkeypatch):
    real, synthetic = fill(tmp_path / "real", {"a": 3, "b": 3}), fill(tmp_path / "synthetic", {"a": 3, "b": 3}, seed=1)
    read = []
    monkeypatch.setattr(extractors, "load_state", lambda weights: read.append(weights) or load_state(weights))
    found = genaug("evaluate", real, synthetic, "--metrics", "fid[inception],kid,is", "--weights", inception, "--json")
    digest = hashlib.sha256(inception.read_bytes()).hexdigest()[:4]
    assert {row["name"] for row in json.loads(found.out)} == {f"{n}[inception:{digest}]" for n in ("fid", "kid", "is")}
    assert len(read) == 1


def test_grey_images_have_the_features_of_equal_colour_images(inception):
    extractor = make_extractor("inception", weights=inception, layer=64)
    grey = images(2, 1)
    colour = np.repeat(grey, 3, axis=3)
    assert torch.equal(extractor.views(grey).features, extractor.views(colour).features)


def test_an_unknown_layer_is_refused(inception):
    with pytest.raises(UsageError, match="expected one of 64, 192, 768, 2048, got 100"):
        make_extractor("inception", weights=inception, layer=100)


def test_weights_of_another_network_are_refused(tmp_path):
    path = tmp_path / "other.pth"
    torch.save({"a": torch.zeros(1)}, path)
    with pytest.raises(DataError, match="weights of another network"):
        make_extractor("inception", weights=path)


class Malicious:
    def __reduce__(self):
        return (open, ("harm", "w"))


@pytest.mark.parametrize(
    "content", [pickle.dumps(Malicious(), protocol=2), b"rubbish", b""], ids=["code", "rubbish", "empty"]
)
def test_a_file_of_weights_cannot_run_code(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.pth").write_bytes(content)
    with pytest.raises(DataError, match="read safely"):
        make_extractor("inception", weights=tmp_path / "bad.pth")
    assert not (tmp_path / "harm").exists()


def test_a_file_without_named_tensors_is_refused(tmp_path):
    torch.save({1: torch.zeros(1)}, tmp_path / "odd.pth")
    with pytest.raises(DataError, match="holds no table of named tensors"):
        make_extractor("inception", weights=tmp_path / "odd.pth")


def test_cached_weights_must_have_the_known_hash(tmp_path):
    cached = tmp_path / "cache" / "hub" / "checkpoints" / INCEPTION.file
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"something else")
    with pytest.raises(DataError, match="not the published file"):
        find_weights(INCEPTION, None)


def test_a_download_is_checked_and_stored(tmp_path):
    source = tmp_path / "source.safetensors"
    from safetensors.torch import save_file

    save_file({"a": torch.ones(2)}, source)
    right = hashlib.sha256(source.read_bytes()).hexdigest()[:8]
    public = Public("tiny", "tiny.safetensors", source.as_uri(), right)
    with pytest.raises(DataError, match="not on this machine"):
        find_weights(public, None)
    found = find_weights(public, None, allow_download=True)
    assert found.name == "tiny"
    assert torch.equal(load_state(found)["a"], torch.ones(2))
    assert find_weights(public, None) == found
    wrong = Public("tiny", "other.safetensors", source.as_uri(), "00000000")
    with pytest.raises(DataError, match="not 00000000"):
        find_weights(wrong, None, allow_download=True)
    assert not (found.path.parent / wrong.file).exists()


def test_a_failed_download_is_reported_in_one_sentence(tmp_path):
    gone = Public("tiny", "gone.pth", (tmp_path / "gone").as_uri(), "00")
    with pytest.raises(DataError, match="tiny could not be downloaded"):
        find_weights(gone, None, allow_download=True)


def test_the_error_about_a_cache_that_cannot_be_written_says_what_to_do(tmp_path):
    (tmp_path / "cache").write_text("a file, where a folder should be")
    (tmp_path / "source.pth").write_bytes(b"weights")
    public = Public("tiny", "tiny.pth", (tmp_path / "source.pth").as_uri(), "00")
    with pytest.raises(OutputError, match=r"tiny cannot be stored in .*; set TORCH_HOME to a writable folder"):
        find_weights(public, None, allow_download=True)


def test_dinov2_reads_weights_from_a_file(tmp_path):
    import timm
    from safetensors.torch import save_file

    network = timm.create_model("vit_small_patch14_dinov2.lvd142m", pretrained=False, num_classes=0, img_size=224)
    save_file(network.state_dict(), tmp_path / "dino.safetensors")
    extractor = make_extractor("dinov2", weights=tmp_path / "dino.safetensors")
    assert extractor.name.startswith("dinov2:")
    assert extractor.views(images(1)).features.shape == (1, 384)


def test_hashes_are_of_the_whole_file(tmp_path):
    (tmp_path / "f").write_bytes(b"abc")
    assert weights._sha256(tmp_path / "f") == hashlib.sha256(b"abc").hexdigest()
