"""Comparisons of real images with themselves, with copies and with wrong classes, and what each row says."""

import math

import numpy as np
import pytest
import torch
from genaug import metric
from genaug.data.folder import load_folder
from genaug.errors import UsageError
from genaug.evaluation import (
    EvaluationInputs,
    MetricInputs,
    compare,
    make_extractors,
    parse_requests,
    resolve_features,
    uses_default_features,
)
from genaug.evaluation.baselines import baseline, deal
from genaug.features import cross_fit
from genaug.features.extractors import ExtractedFeatures
from genaug.metric import Measured, related
from genaug.metrics.intervals import share_interval
from genaug.metrics.plugin import NoveltyConfig
from genaug.metrics.shares import Novelty
from genaug.registry import load_registry
from genaug.testing.material import tiny_split
from PIL import Image


def scattered(counts, seed):
    """Bright squares in corners, each image with noise of its own, so that images of a class differ."""
    plain = tiny_split(1, 16, 16, counts=counts)
    moved = np.where(plain.images == 230, 190, 60) + np.random.default_rng(seed).integers(-90, 90, plain.images.shape)
    names = [f"{number:03d}" for number in range(len(plain))]
    return type(plain).ordered(plain.spec, np.clip(moved, 0, 255).astype(np.uint8), plain.labels, names, names)


TRAIN = scattered((24, 18), 0)


@pytest.fixture(scope="module")
def judges():
    return cross_fit(TRAIN, seed=0, steps=60)


def rows(texts, images, labels, judges, **known):
    requests = parse_requests(texts, load_registry(), "classifier")
    extractors = make_extractors(requests, weights=None, allow_download=False, layer=2048)
    views = MetricInputs(EvaluationInputs.of(TRAIN, images, labels, **known), extractors, seed=0, judges=judges)
    return {row.name: row for request in requests for row in compare(request, views)}


def fresh(count, seed):
    split = scattered((count, count), seed)
    return split.images, split.labels


def test_copies_are_counted_and_new_images_are_not(judges):
    images, labels = fresh(10, 1)
    new = rows(["novelty[pixels]"], images, labels, judges)["copies[pixels]"]
    same = rows(["novelty[pixels]"], TRAIN.images, TRAIN.labels, judges)["copies[pixels]"]
    assert (new.overall.value, same.overall.value) == (0.0, 1.0)
    assert new.overall.interval is None  # 20 images of fewer than 30 parents
    assert same.overall.interval.low < 1.0 == same.overall.interval.high
    assert not new.higher_is_better


class OtherClasses:
    """A network that knows other classes than the data set, as Inception does."""

    name = features_name = "other"

    def views(self, images):
        count = len(images)
        chance = torch.Generator().manual_seed(0)
        probabilities = torch.rand(count, 1008, generator=chance).softmax(dim=1)
        return ExtractedFeatures(torch.from_numpy(images.reshape(count, -1)).float(), probabilities)


def test_consistency_is_computed_by_classifiers_that_know_the_classes(judges):
    images, labels = fresh(12, 2)
    requests = parse_requests(["consistency", "is", "mmd"], load_registry(), "inception")
    views = MetricInputs(
        EvaluationInputs.of(TRAIN, images, labels), {"inception": OtherClasses()}, seed=0, judges=judges
    )
    found = {row.name: row.overall.value for request in requests for row in compare(request, views)}
    assert set(found) == {"consistency[classifier]", "is[other]", "mmd[other]"}
    assert found["consistency[classifier]"] > 0.8
    with pytest.raises(UsageError, match="classes of the data set, which inception does not know; use consistency"):
        parse_requests(["consistency[inception]"], load_registry(), "classifier")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [(None, True), (["kid"], True), (["is"], True), (["ssim", "consistency", "kid[dinov2]"], False)],
)
def test_default_features_are_used_by_metrics_that_need_features_and_name_none(texts, expected):
    assert uses_default_features(texts, load_registry()) is expected


def test_kernel_matrices_of_many_images_are_bounded(judges, monkeypatch):
    images, labels = fresh(30, 1)
    monkeypatch.setattr(metric, "_MOST_KERNELS", 20)
    (request,) = parse_requests(["mmd[pixels]"], load_registry(), "classifier")
    views = MetricInputs(
        EvaluationInputs.of(TRAIN, images, labels),
        make_extractors([request], weights=None, allow_download=False, layer=64),
        seed=0,
    )
    sizes = []
    kernels = request.metric.kernels
    monkeypatch.setattr(request.metric, "kernels", lambda *pair: sizes.extend(map(len, pair)) or kernels(*pair))
    compare(request, views)
    assert max(sizes) == 20


def test_classes_of_too_few_images_are_named(judges):
    images, labels = fresh(30, 1)
    found = rows(["ssim", "coverage[pixels]"], images, labels, judges)
    assert found["ssim"].few == ()
    assert found["coverage[pixels]"].few == ("a", "b")
    assert found["coverage[pixels]"].to_json()["few"] == ["a", "b"]


def test_a_value_of_several_spaces_is_as_reliable_as_its_smallest_space(judges):
    images, labels = fresh(25, 1)
    assert rows(["coverage[pixels]"], images, labels, judges)["coverage[pixels]"].note == "unreliable below 50 images"
    wide = scattered((30, 30), 1)
    one = rows(["mmd"], wide.images, wide.labels, judges)["mmd[classifier]"]
    assert one.note == "unreliable below 20 images; the images of each cross-validation fold are compared separately"


def test_wrong_labels_lower_the_consistency(judges):
    images, labels = fresh(12, 2)
    right = rows(["consistency"], images, labels, judges)["consistency[classifier]"]
    wrong = rows(["consistency"], images, 1 - labels, judges)["consistency[classifier]"]
    assert right.overall.value > 0.9
    assert wrong.overall.value < 0.1
    assert right.real > 0.9
    assert set(right.classes) == set(TRAIN.spec.classes)


def test_noise_is_far_from_real_images_by_every_distance(judges):
    images, labels = fresh(20, 3)
    noise = np.random.default_rng(0).integers(0, 255, images.shape, dtype=np.uint8)
    texts = ["kid[pixels]", "mmd[pixels]", "fid[pixels]", "coverage[pixels]", "precision[pixels]"]
    near, far = rows(texts, images, labels, judges), rows(texts, noise, labels, judges)
    for name, row in near.items():
        better = far[name].overall.value < row.overall.value if row.higher_is_better else None
        assert better is True or (better is None and far[name].overall.value > row.overall.value), name


def test_the_baseline_is_the_value_of_new_images_of_the_same_distribution(judges):
    row = rows(["mmd[pixels]"], *fresh(20, 4), judges)["mmd[pixels]"]
    assert abs(row.real) < 0.05
    assert abs(row.overall.value) < 0.05
    assert (row.images, row.real_images) == (40, 21)


def test_biased_distances_have_a_value_for_the_number_of_baseline_images_and_no_interval(judges):
    found = rows(["fid", "mmd"], *fresh(20, 5), judges)
    assert found["fid[classifier]"].overall.interval is None
    assert math.isfinite(found["fid[classifier]"].matched)
    assert found["mmd[classifier]"].overall.interval is not None
    assert math.isnan(found["mmd[classifier]"].matched)


def test_a_metric_of_too_few_images_has_a_warning(judges):
    found = rows(["fid", "consistency"], *fresh(20, 6), judges)
    assert found["fid[classifier]"].note == "unreliable below 2,048 images"
    assert found["consistency[classifier]"].note == ""


def test_the_most_similar_known_parent_determines_which_classifier_judges():
    given = np.array([[5, 30], [30, 5], [-1, 5], [7, -1], [-1, -1]])
    inputs = EvaluationInputs.of(TRAIN, TRAIN.images[[5, 5, 5, 5, 9]], TRAIN.labels[[5, 5, 5, 5, 9]], parents=given)
    assert inputs.sources.tolist() == [5, 5, 5, 7, 9]
    assert inputs.parents.tolist() == given.tolist()


def test_copies_with_known_parents_are_at_distance_zero_without_an_interval(judges):
    parents = np.arange(len(TRAIN))[:, None]
    known = rows(["mmd[pixels]", "kid[pixels]"], TRAIN.images, TRAIN.labels, judges, parents=parents)
    for name, row in known.items():
        unknown = rows([name], TRAIN.images, TRAIN.labels, judges)[name].overall
        assert unknown.value < row.overall.value == pytest.approx(0, abs=1e-9), name
        assert unknown.interval is not None, name
        assert row.overall.interval is None, name


def test_duplicates_among_real_images_do_not_hide_copies():
    twice = np.concatenate([np.arange(len(TRAIN)), np.arange(4)])
    names = [f"{number:03d}" for number in range(len(twice))]
    train = type(TRAIN).ordered(TRAIN.spec, TRAIN.images[twice], TRAIN.labels[twice], names, names)
    (request,) = parse_requests(["novelty[pixels]"], load_registry(), "classifier")
    extractors = make_extractors([request], weights=None, allow_download=False, layer=2048)
    noisy = np.clip(TRAIN.images.astype(int) + 1, 0, 255).astype(np.uint8)
    (row,) = compare(request, MetricInputs(EvaluationInputs.of(train, noisy, TRAIN.labels), extractors, seed=0))
    assert row.overall.value == 1.0


@pytest.mark.parametrize("seed", range(6))
def test_tiny_classes_are_compared_without_a_crash(seed):
    few = scattered((2, 2), 0)
    requests = parse_requests(["fid", "kid", "coverage"], load_registry(), "classifier")
    views = MetricInputs(
        EvaluationInputs.of(few, few.images, few.labels), {}, seed=seed, judges=cross_fit(few, seed=seed, steps=1)
    )
    assert {row.name for request in requests for row in compare(request, views)} >= {
        "fid[classifier]",
        "kid[classifier]",
    }


def test_parts_keep_a_group_together_even_across_classes():
    groups = torch.tensor([7, 7, 1, 2, 3, 3])[:, None]
    real = Measured(torch.zeros(6, 1), torch.tensor([0, 1, 0, 1, 0, 1]), groups)
    for repeat in range(8):
        parts = deal(real, 2, 0, repeat)
        assert sorted(parts[[0, 2, 3, 4]].tolist()) == [0, 0, 1, 1]
        assert (parts[0], parts[4]) == (parts[1], parts[5])


def test_the_baseline_of_copies_uses_nearly_as_many_real_images_as_the_value_of_synthetic_ones():
    """The value of new images of the same distribution equals the baseline."""
    chance = np.random.default_rng(0)
    metric = Novelty(NoveltyConfig())

    def draw(count, start):
        values = torch.from_numpy(chance.normal(size=(count, 8)))
        return Measured(values, torch.zeros(count, dtype=torch.int64), torch.arange(start, start + count)[:, None])

    everything = [(torch.ones(60, dtype=torch.bool), torch.ones(60, dtype=torch.bool))]
    new, baselines = [], []
    for _ in range(300):
        real, synthetic = draw(60, 0), draw(60, 100)
        new.append(metric.compute(real, synthetic)["copies"])
        baselines.append(baseline(metric, real, synthetic, everything, 0))
    assert {one.images for one in baselines} == {60}
    assert abs(np.mean([one.values["copies"] for one in baselines]) / np.mean(new) - 1) < 0.2


def test_the_baseline_of_a_biased_metric_has_no_more_images_than_there_are_synthetic_ones(judges):
    images, labels = fresh(2, 9)
    row = rows(["precision[pixels]"], images, labels, judges)["precision[pixels]"]
    assert (row.images, row.real_images) == (4, 4)
    assert rows(["mmd[pixels]"], images, labels, judges)["mmd[pixels]"].real_images == 21


def test_a_value_that_cannot_be_computed_is_nan(judges):
    lone = type(TRAIN).ordered(TRAIN.spec, TRAIN.images[[0, 41]], TRAIN.labels[[0, 41]], ["a", "b"], ["a", "b"])
    one = EvaluationInputs.of(lone.of_class(0), lone.images[:1], np.array([0]))
    for name in ("novelty", "authenticity"):
        (request,) = parse_requests([f"{name}[pixels]"], load_registry(), "classifier")
        extractors = make_extractors([request], weights=None, allow_download=False, layer=2048)
        (row,) = compare(request, MetricInputs(one, extractors, seed=0))
        assert math.isnan(row.overall.value)
        assert row.overall.interval is None
        assert row.note.startswith("no value: too few images")


def test_settings_reach_their_metrics_and_wrong_ones_are_refused():
    requests = parse_requests(["coverage", "tstr"], load_registry(), "classifier", ["coverage:neighbours=2"])
    assert requests[0].metric.config.model_dump() == {"neighbours": 2}
    for texts, message in (
        (["coverage:neighbors=2"], "did you mean 'neighbours'"),
        (["coverage:neighbours=0"], "greater than or equal to 1"),
        (["coverage"], "expected metric:key=value"),
        (["fid:layer=1"], "the metric fid is not computed"),
        (["kid:x=1"], "the metric kid is not computed"),
    ):
        with pytest.raises(UsageError, match=message):
            parse_requests(["coverage"], load_registry(), "classifier", texts)


def test_without_held_out_images_tstr_has_no_row(judges):
    assert rows(["tstr"], *fresh(4, 8), judges) == {}


def test_tstr_has_the_accuracy_of_training_on_real_images_as_baseline(tmp_path):
    for number, name in enumerate(["train/a", "train/b", "test/a", "test/b"] * 4):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(TRAIN.images[2 * number][:, :, 0]).save(tmp_path / name / f"{number}.png")
    loaded = load_folder(tmp_path, size=(16, 16))
    split, held_out = loaded.train, loaded.splits["test"]
    requests = parse_requests(["tstr"], load_registry(), "classifier")
    requests[0].metric.config = requests[0].metric.config.model_copy(update={"steps": 10})
    inputs = EvaluationInputs.of(split, split.images, split.labels, held_out=held_out)
    (row,) = compare(requests[0], MetricInputs(inputs, {}, seed=0))
    assert row.overall.value == row.real
    assert row.images == 8
    assert set(row.classes) == {"a", "b"}


def test_two_files_of_one_picture_count_once_in_the_interval_of_held_out_images(tmp_path):
    for row, image in enumerate(TRAIN.images):
        for name in ("test/{}/one-{}.png", "test/{}/two-{}.png", "train/{}/{}.png"):
            path = tmp_path / name.format("ab"[TRAIN.labels[row]], row)
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image[:, :, 0]).save(path)
    loaded = load_folder(tmp_path, size=(16, 16))
    (request,) = parse_requests(["tstr"], load_registry(), "classifier", ["tstr:steps=1"])
    images, labels = fresh(4, 8)
    views = MetricInputs(EvaluationInputs.of(loaded.train, images, labels, held_out=loaded.splits["test"]), {}, seed=0)
    (row,) = compare(request, views)
    verdicts = request.metric.each(views.held_out(), views.values("pixels", "", "synthetic"))["tstr"]
    assert not related(views.held_out(), views.values("pixels", "", "real")).any()
    naive = share_interval(verdicts, torch.arange(84))
    assert row.overall.interval.high - row.overall.interval.low > 1.3 * (naive.high - naive.low)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kidd", "did you mean 'kid'"),
        ("kid[inceptoin]", "did you mean 'inception'"),
        ("kid[", "expected names such as kid or kid\\[inception\\]"),
        ("ssim[inception]", "computed on pixels"),
    ],
)
def test_an_error_about_a_wrong_name_suggests_the_nearest_right_one(text, message):
    with pytest.raises(UsageError, match=message):
        parse_requests([text], load_registry(), "classifier")


def test_auto_says_which_features_it_uses_and_why(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    features, reason = resolve_features("auto", weights=None, allow_download=False)
    assert features == "classifier"
    assert "inception" in reason
    with pytest.raises(UsageError, match="did you mean 'pixels'"):
        resolve_features("pixel", weights=None, allow_download=False)
