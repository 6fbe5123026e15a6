"""Training live: what batches hold over time, weights, soft labels, blends, and the folder's other self."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from genaug.chance import chance_states, same_states
from genaug.data.decode import decode
from genaug.errors import DataError, UsageError
from genaug.mixing.apply import apply_recipe
from genaug.mixing.batches import EpochBatches
from genaug.mixing.live import MixedDataset
from genaug.mixing.recipe import parse_recipe
from genaug.output.mark import png
from genaug.output.reopen import open_mixed
from torch.utils.data import DataLoader
from torchvision.transforms import ToTensor

CLASSES = ("cat", "dog", "owl")
REAL = {"cat": 20, "dog": 7, "owl": 5}
SYNTHETIC = {"dog": 13, "owl": 15}  # as --balance max leaves it: the largest class gets none


def pictures(counts, first):
    """Flat 16x16 colour images, each of a colour of its own, and their labels."""
    labels = np.array([CLASSES.index(name) for name, count in counts.items() for _ in range(count)])
    colours = np.random.default_rng(first).integers(0, 256, (len(labels), 1, 1, 3), dtype=np.uint8)
    return np.tile(colours, (1, 16, 16, 1)), labels


def mixed(recipe, **more):
    return MixedDataset.of(*pictures(REAL, 1), *pictures(SYNTHETIC, 2), CLASSES, recipe, **more)


def batches(recipe, *, epochs=1, batch_size=8, seed=0, **more):
    return EpochBatches(mixed(recipe, **more), batch_size=batch_size, epochs=epochs, seed=seed)


def loaded(dataset, *, epoch=0, epochs=2, batch_size=8, seed=0, workers=0):
    drawn = EpochBatches(dataset, batch_size=batch_size, epochs=epochs, seed=seed)
    drawn.set_epoch(epoch)
    return list(DataLoader(dataset, batch_sampler=drawn, collate_fn=drawn.collate, num_workers=workers))


def flags(drawn, epoch=0):
    """Which places of an epoch are synthetic, bool [images]."""
    return drawn.rows(epoch) >= sum(REAL.values())


def test_a_sample_knows_its_weight_and_its_origin():
    dataset = mixed("weight=0.3")
    real, synthetic = dataset[0], dataset[len(dataset) - 1]
    assert (int(real.target), float(real.weight), bool(real.synthetic), real.row) == (0, 1.0, False, 0)
    assert (int(synthetic.target), bool(synthetic.synthetic), synthetic.row) == (2, True, len(dataset) - 1)
    assert float(synthetic.weight) == pytest.approx(0.3)
    assert real.image.shape == (3, 16, 16)
    assert torch.allclose((real.image + 1) * 127.5, torch.from_numpy(dataset.images[0]).permute(2, 0, 1).float())


def test_a_transform_gets_the_pil_image():
    dataset = mixed("concatenate")
    dataset.transform = ToTensor()
    assert torch.allclose(dataset[3].image, (1 + mixed("concatenate")[3].image) / 2)


@pytest.mark.parametrize("recipe", ["concatenate", "cap=1", "replace", "anneal", "pretrain", "mixup", "balanced"])
def test_an_epoch_is_a_function_of_seed_and_epoch(recipe):
    one, again, other = (batches(recipe, epochs=3, seed=seed) for seed in (4, 4, 5))
    for epoch in (2, 0):
        assert np.array_equal(one.rows(epoch), again.rows(epoch))
    assert not np.array_equal(one.rows(0), one.rows(1))
    assert not np.array_equal(one.rows(0), other.rows(0))


@pytest.mark.parametrize(
    ("recipe", "images"),
    [("concatenate", 60), ("cap=1", 44), ("replace", 32), ("anneal", 32), ("pretrain", 32), ("mixup", 64)],
)
def test_the_length_of_an_epoch_is_as_documented(recipe, images):
    drawn = batches(recipe, batch_size=10)
    drawn.set_epoch(0)
    sizes = [len(rows) for rows in drawn]
    assert sum(sizes) == drawn.images == images
    assert len(sizes) == len(drawn)
    assert set(sizes[:-1]) == {10}


@pytest.mark.parametrize("recipe", ["concatenate", "cap=1", "weight=0.3", "soft_labels=0.5"])
def test_an_epoch_of_concatenate_shows_every_image_once(recipe):
    drawn = batches(recipe, epochs=3, probabilities=np.full((28, 3), 1 / 3))
    assert sorted(drawn.rows(2).tolist()) == list(range(drawn.images))


def test_balanced_shows_classes_equally_often_and_their_images_too():
    drawn = batches("balanced", epochs=3)
    rows = np.concatenate([drawn.rows(epoch) for epoch in range(3)])
    labels = mixed("concatenate").labels.numpy()
    assert Counter(labels[rows].tolist()) == {0: 60, 1: 60, 2: 60}
    assert set(Counter(rows.tolist()).values()) == {3}


def test_balanced_holds_among_real_and_among_synthetic_images():
    drawn = batches("anneal=0.9,end=0.1,balanced", epochs=30)
    rows = np.concatenate([drawn.rows(epoch) for epoch in range(30)])
    labels, synthetic = mixed("concatenate").labels.numpy()[rows], rows >= 32
    assert Counter(labels[~synthetic].tolist()) == {0: 160, 1: 160, 2: 160}
    assert Counter(labels[synthetic].tolist()) == {1: 240, 2: 240}


@pytest.mark.parametrize("probability", [0.25, 1.0])
def test_replace_replaces_by_chance_within_the_class(probability):
    drawn = batches(f"replace={probability}", epochs=400)
    labels = mixed("concatenate").labels.numpy()
    rows = np.stack([drawn.rows(epoch) for epoch in range(400)])
    for epoch in rows[:20]:
        assert Counter(labels[epoch].tolist()) == {0: 20, 1: 7, 2: 5}, "a place keeps its class"
    places = 400 * (REAL["dog"] + REAL["owl"])
    spread = 4 * (places * probability * (1 - probability)) ** 0.5
    assert abs((rows >= 32).sum() - places * probability) <= spread
    shown = np.bincount(rows[rows >= 32] - 32, minlength=28)
    expected = np.repeat([400 * probability * 7 / 13, 400 * probability * 5 / 15], [13, 15])
    assert (abs(shown - expected) < 5 * expected**0.5).all(), "every synthetic image of a class is as likely"


def test_replacing_is_drawn_anew_in_every_epoch():
    drawn = batches("replace=0.5", epochs=200)
    real = np.stack([np.isin(np.arange(20, 32), drawn.rows(epoch)) for epoch in range(200)])
    assert (abs(real.mean(axis=0) - 0.5) < 4 * 0.5 / 200**0.5).all()


@pytest.mark.parametrize(("start", "end"), [(0.5, 0.0), (1.0, 0.0), (0.7, 0.2)])
def test_annealing_follows_a_straight_line(start, end):
    drawn = batches(f"anneal={start},end={end}", epochs=50)
    turns = np.concatenate([flags(drawn, epoch) for epoch in range(50)])
    places = np.arange(1, len(turns) + 1)
    integral = start * places - (start - end) * places**2 / (2 * len(turns))
    assert abs(turns.cumsum() - integral).max() <= 1 + 1e-6
    sixteenth = (start - end) / 32  # what the share loses on average within the first 100 of 1,600 images
    assert turns[:100].mean() == pytest.approx(start - sixteenth, abs=0.011)
    assert turns[-100:].mean() == pytest.approx(end + sixteenth, abs=0.011)


def test_annealing_shows_all_images_of_an_origin_equally_often():
    drawn = batches("anneal", epochs=50)
    shown = np.bincount(np.concatenate([drawn.rows(epoch) for epoch in range(50)]), minlength=60)
    assert np.ptp(shown[:32]) <= 1
    assert np.ptp(shown[32:]) <= 1


def test_pretraining_ends_once_and_for_all():
    turns = np.concatenate([flags(batches("pretrain=0.3", epochs=5), epoch) for epoch in range(5)])
    assert turns[: round(0.3 * 160)].all()
    assert not turns[round(0.3 * 160) :].any()


@pytest.mark.parametrize("recipe", ["mixup", "cutmix"])
def test_blends_alternate_and_show_every_real_image_once(recipe):
    drawn = batches(recipe, epochs=3)
    for epoch in range(3):
        assert (flags(drawn, epoch) == [False, True] * 32).all()
        assert sorted(drawn.rows(epoch)[::2].tolist()) == list(range(32))


def coloured(recipe, **more):
    """Real images are black and of class cat, synthetic ones white and of class dog."""
    black, white = np.zeros((6, 16, 16, 3), np.uint8), np.full((6, 16, 16, 3), 255, np.uint8)
    return MixedDataset.of(black, [0] * 6, white, [1] * 6, CLASSES, recipe, **more)


@pytest.mark.parametrize("recipe", ["mixup", "cutmix", "mixup=0.3"])
def test_a_blend_is_of_one_real_and_one_synthetic_image_and_says_how_much(recipe):
    for batch in loaded(coloured(recipe), batch_size=4):
        white = ((batch.images + 1) / 2).mean(dim=(1, 2, 3))
        assert torch.allclose(batch.synthetic, white, atol=1e-6)
        assert torch.allclose(batch.targets, torch.stack([1 - white, white, 0 * white], dim=1), atol=1e-6)
        assert torch.allclose(batch.weights, torch.ones(4))
        assert torch.allclose(white[0::2] + white[1::2], torch.ones(2)), "a pair shares one draw"


def test_the_shares_of_mixup_are_beta_distributed():
    dataset = coloured("mixup=0.5")
    shares = [float(b.synthetic[0]) for e in range(200) for b in loaded(dataset, epoch=e, epochs=200, batch_size=4)]
    expected = torch.distributions.Beta(0.5, 0.5)
    assert np.mean(shares) == pytest.approx(0.5, abs=4 * float(expected.stddev) / len(shares) ** 0.5)
    assert np.var(shares) == pytest.approx(float(expected.variance), rel=0.15)


def test_the_loss_of_a_blend_is_the_blend_of_the_weighted_losses():
    logits = torch.tensor([[1.0, -0.5, 0.3]]).repeat(4, 1)
    (batch, *_) = loaded(coloured("mixup,weight=0.2"), batch_size=4)
    losses = torch.nn.functional.cross_entropy(logits, batch.targets, reduction="none") * batch.weights
    cat, dog = -logits.log_softmax(dim=1)[0, :2]
    share = batch.synthetic
    assert torch.allclose(losses, (1 - share) * cat + share * 0.2 * dog)


@pytest.mark.parametrize("recipe", ["anneal", "cutmix"])
def test_workers_change_nothing(recipe):
    dataset = mixed(recipe)
    for one, other in zip(loaded(dataset, epoch=1), loaded(dataset, epoch=1, workers=2), strict=True):
        assert all(torch.equal(*pair) for pair in zip(one, other, strict=True))


@pytest.mark.parametrize("recipe", ["mixup", "cutmix", "replace"])
def test_no_other_chance_is_touched(recipe):
    dataset, before = mixed(recipe), chance_states()
    drawn = EpochBatches(dataset, batch_size=4, epochs=1)
    drawn.collate([dataset[row] for row in drawn.rows(0)[:4]])
    assert same_states(before, chance_states())


def test_a_seed_decides_the_blends():
    first, other = (torch.cat([b.synthetic for b in loaded(coloured("mixup"), seed=seed)]) for seed in (0, 1))
    assert not torch.allclose(first, other)


def test_soft_labels_lean_on_the_classifier_for_synthetic_images_alone():
    opinions = np.random.default_rng(0).dirichlet([1, 1, 1], 28)
    dataset = mixed("soft_labels=0.25,cap=1", probabilities=opinions)
    hard = torch.nn.functional.one_hot(dataset.labels, 3).float()
    assert torch.equal(dataset.targets[:32], hard[:32])
    kept = torch.from_numpy(np.concatenate([opinions[:7], opinions[13:18]])).float()
    assert torch.allclose(dataset.targets[32:], 0.75 * hard[32:] + 0.25 * kept)


def test_scores_become_weights_and_choose_under_a_cap():
    scores = np.linspace(0, 1, 28).tolist()
    dataset = mixed("weight_by_score,weight=0.5,cap=1", scores=scores)
    best = [*range(6, 13), *range(23, 28)]
    assert torch.allclose(dataset.weights[32:], 0.5 * torch.tensor(scores)[best])
    assert np.array_equal(dataset.images[32:], pictures(SYNTHETIC, 2)[0][best])
    assert (dataset.weights[:32] == 1).all()


def test_what_cannot_be_is_refused_in_a_sentence():
    images, labels = pictures(REAL, 1)
    with pytest.raises(UsageError, match=r"of one size, got \(16, 16, 3\), \(8, 8, 3\)"):
        MixedDataset.of(images, labels, np.zeros((1, 8, 8, 3), np.uint8), [0], CLASSES)
    with pytest.raises(UsageError, match="one label per image, got 2 labels of 1 images"):
        MixedDataset.of(images, labels, images[:1], [0, 1], CLASSES)
    with pytest.raises(UsageError, match=r"labels must lie in \[0, 3\), got \[7\]"):
        MixedDataset.of(images, labels, images[:1], [7], CLASSES)
    with pytest.raises(UsageError, match="soft_labels needs the cross-fitted"):
        mixed("soft_labels=0.5")
    with pytest.raises(UsageError, match=r"probabilities \[28, 3\], got \[28, 2\]"):
        mixed("soft_labels=0.5", probabilities=np.ones((28, 2)))
    with pytest.raises(UsageError, match="anneal needs real and synthetic images, got 32 and 0"):
        EpochBatches(MixedDataset.of(images, labels, images[:0], [], CLASSES, "anneal"), batch_size=4, epochs=1)
    with pytest.raises(UsageError, match="expected an even batch size, got 7"):
        batches("cutmix", batch_size=7)
    with pytest.raises(UsageError, match="at least one image per batch and one epoch, got 8, 0"):
        batches("anneal", epochs=0)


def test_an_epoch_must_be_named_so_that_no_recipe_stands_still():
    drawn = batches("anneal", epochs=2)
    with pytest.raises(UsageError, match=r"call set_epoch\(epoch\) before every epoch"):
        list(drawn)
    drawn.set_epoch(1)
    list(drawn)
    with pytest.raises(UsageError, match="call set_epoch"):
        list(drawn)
    with pytest.raises(UsageError, match=r"epoch must lie in \[0, 2\), got 2"):
        drawn.set_epoch(2)


def applied(recipe):
    """All images, of which `apply_recipe` uses and weighs some, as a run does."""
    all_of_them = mixed("concatenate")
    counts = [REAL[name] for name in CLASSES]
    keep, weights = apply_recipe(parse_recipe(recipe), counts, all_of_them.labels[32:].tolist())
    rows = [*range(32), *(32 + place for place, kept in enumerate(keep) if kept)]
    return replace(
        all_of_them,
        images=all_of_them.images[rows],
        labels=all_of_them.labels[rows],
        synthetic=all_of_them.synthetic[rows],
        weights=torch.tensor([1.0] * 32 + weights)[rows],
    )


def write_run(out, dataset, scores=None):
    """The training part of an output folder, by hand, as docs/output.md describes it."""
    lines = []
    for place in range(len(dataset)):
        label, synthetic = dataset.classes[dataset.labels[place]], bool(dataset.synthetic[place])
        name = f"train/{label}/{'synthetic' if synthetic else 'photo'}-{place:06d}.png"
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(png(dataset.images[place]))
        line = {"file_name": name, "split": "train", "label": label, "synthetic": synthetic}
        extra = {"scores": {} if scores is None else {"judge": scores[place]}} if synthetic else {}
        lines.append(line | extra | {"weight": float(dataset.weights[place])})
    (out / "val/cat").mkdir(parents=True)
    name = "val/cat/photo-000000.png"  # as a training file is called
    (out / name).write_bytes(png(dataset.images[0]))
    lines.append({"file_name": name, "split": "val", "label": "cat", "synthetic": False, "weight": 0.5})
    (out / "provenance.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (out / "run.json").write_text(json.dumps({"size": [16, 16], "resize": "stretch"}))


def epoch_of_folder(out):
    """What a loop over the files sees: pixels, class and weight of each, read by hand."""
    lines = [json.loads(line) for line in (out / "provenance.jsonl").read_text().splitlines()]
    train = [line for line in lines if line["split"] == "train"]
    return Counter(
        (decode(out / line["file_name"]).pixels.tobytes(), line["label"], round(line["weight"], 6)) for line in train
    )


def epoch_of(dataset):
    seen = Counter()
    for batch in loaded(dataset):
        pixels = ((batch.images + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1)
        for image, target, weight in zip(pixels, batch.targets, batch.weights, strict=True):
            seen[image.numpy().tobytes(), CLASSES[target], round(float(weight), 6)] += 1
    return seen


@pytest.mark.parametrize("recipe", ["concatenate", "cap=1", "weight=0.3", "cap=0.5,weight=0.3"])
def test_folder_and_live_show_the_same_images_with_the_same_weights(tmp_path, recipe):
    write_run(tmp_path, applied(recipe))
    assert epoch_of_folder(tmp_path) == epoch_of(mixed(recipe)) == epoch_of(open_mixed(tmp_path))


def test_a_folder_opens_with_another_recipe(tmp_path):
    scores = np.linspace(0, 1, 60).tolist()
    write_run(tmp_path, mixed("weight=0.3"), scores)
    dataset = open_mixed(tmp_path, "anneal,weight_by_score")
    assert dataset.recipe.mode == "anneal"
    assert dataset.weights[32:].tolist() == pytest.approx(scores[32:])
    assert open_mixed(tmp_path, size=(24, 32)).images.shape == (60, 24, 32, 3)


def test_a_folder_without_scores_says_so_when_they_are_wanted(tmp_path):
    write_run(tmp_path, mixed("concatenate"))
    with pytest.raises(UsageError, match="needs a score"):
        open_mixed(tmp_path, "weight_by_score")


def test_only_files_of_the_run_are_opened_and_missing_ones_are_not_missed(tmp_path):
    with pytest.raises(DataError, match="no finished output of genaug run"):
        open_mixed(tmp_path)
    write_run(tmp_path, mixed("concatenate"))
    (tmp_path / "train/dog/synthetic-000040.png").unlink()
    assert len(open_mixed(tmp_path)) == 59
    (tmp_path / "train/dog/stranger.png").write_bytes(png(pictures(REAL, 3)[0][0]))
    with pytest.raises(DataError, match=r"train/dog/stranger\.png has no line in provenance\.jsonl"):
        open_mixed(tmp_path)
