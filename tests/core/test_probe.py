"""The probe bans changes that turn one class into another and allows changes that keep it, each only with evidence."""

import colorsys
import json
import math

import numpy as np
import pytest
from genaug.augmentation.changes import changes_for, flip_horizontally, quarter_turns, rotate, shift_hue
from genaug.config import AllowedChanges, AugmentationConfig, changed
from genaug.data.split import TrainSplit
from genaug.errors import DataError
from genaug.features.crossfit import cross_fit
from genaug.probe import ChangeFinding, Probe, allowed_settings, least_right, probe
from genaug.probe.paired import increase_interval, mcnemar_p_value
from genaug.probe.verdicts import weigh
from genaug.significance import above_chance, holm
from genaug.spec import ImageSpec
from scipy import stats


def split_of(images, labels, classes):
    images, labels = np.array(images, dtype=np.uint8), np.array(labels, dtype=np.int64)
    counts = tuple(np.bincount(labels, minlength=len(classes)).tolist())
    spec = ImageSpec(images.shape[3], *images.shape[1:3], tuple(classes), counts)
    names = [f"{row:03}" for row in range(len(labels))]
    return TrainSplit.ordered(spec, images, labels, names, names)


def bars(kinds, count, seed=0):
    """Grey images of a bright bar at the left, right, top or bottom edge, over strong noise."""
    places = {"left": np.s_[:, :5], "right": np.s_[:, -5:], "top": np.s_[:5], "bottom": np.s_[-5:]}
    chance, images = np.random.default_rng(seed), []
    for kind in kinds:
        for _ in range(count):
            image = chance.normal(90, 40, (16, 16))
            image[places[kind]] += 120
            images.append(image.clip(0, 255)[..., None])
    return split_of(images, np.repeat(np.arange(len(kinds)), count), kinds)


@pytest.fixture(scope="module")
def left_and_right():
    """The probe on two classes that are each other's mirror images."""
    split = bars(("left", "right"), 16)
    return probe(split, cross_fit(split, seed=0, steps=40))


@pytest.fixture(scope="module")
def top_and_bottom():
    """The probe on two classes that a horizontal flip keeps and a vertical flip swaps."""
    split = bars(("top", "bottom"), 16)
    return probe(split, cross_fit(split, seed=0, steps=40))


def finding(found, change):
    return next(one for one in found.findings if one.change == change)


def weighed(*classes):
    """A finding from (images, wrong, turned, returned) of each class; misclassified images get the next class."""
    labels, own, new = [], [], []
    for label, (images, wrong, turned, returned) in enumerate(classes):
        other = (label + 1) % len(classes)
        before = [other] * wrong + [label] * (images - wrong)
        after = [label] * returned + before[returned:wrong] + [other] * turned + before[wrong + turned :]
        labels, own, new = labels + [label] * images, own + before, new + after
    names = [f"class {label}" for label in range(len(classes))]
    return weigh("change", names, *(np.array(values, dtype=np.int64) for values in (labels, own, new)))


def verdicts(found):
    return [one.verdict for one in found.classes]


def test_a_mirror_is_banned_where_it_turns_one_class_into_another(left_and_right):
    mirror = finding(left_and_right, "horizontal flip")
    assert mirror.verdict == "banned"
    assert [(one.name, one.becomes, one.turned) for one in mirror.harmed] == [
        ("left", "right", 16),
        ("right", "left", 16),
    ]
    assert finding(left_and_right, "turn 180").verdict == "banned"
    assert finding(left_and_right, "vertical flip").verdict == "safe"


def test_a_mirror_is_allowed_where_classes_are_their_own_mirror_images(top_and_bottom):
    assert finding(top_and_bottom, "horizontal flip").verdict == "safe"
    assert finding(top_and_bottom, "vertical flip").verdict == "banned"


def test_allowed_changes_become_settings(left_and_right, top_and_bottom):
    assert allowed_settings(left_and_right) == {"flips": ["vertical"]}
    assert allowed_settings(top_and_bottom) == {"flips": ["horizontal"]}
    settings = changed(AugmentationConfig(pipeline="paper"), allowed_settings(top_and_bottom), "augmentation")
    assert (settings.pipeline, settings.flips, settings.turns, settings.hue) == ("paper", ("horizontal",), True, True)


@pytest.mark.parametrize(("harmful", "field"), [("rotation -15", "turns"), ("hue +18", "hue")])
def test_a_harmful_change_that_pipelines_make_is_switched_off(harmful, field):
    bad = weighed((20, 0, 20, 0), (20, 0, 0, 0))
    settings = allowed_settings(Probe((ChangeFinding(harmful, bad.verdict, bad.pooled, bad.classes),)))
    assert settings == {"flips": [], field: False}
    assert set(settings) <= set(AllowedChanges.model_fields)


def test_an_unclear_rotation_changes_no_setting():
    few = weighed((8, 0, 1, 0), (8, 0, 0, 0))
    assert few.verdict == "unclear"
    assert allowed_settings(Probe((ChangeFinding("rotation +15", few.verdict, few.pooled, few.classes),))) == {
        "flips": []
    }


def test_the_probe_is_the_same_each_time():
    split = bars(("left", "right"), 6)
    first, second = (probe(split, cross_fit(split, seed=0, steps=5)) for _ in range(2))
    assert first == second


def test_the_probe_has_plain_values_for_json(left_and_right):
    values = json.loads(json.dumps(left_and_right.to_json()))
    assert values["changes"]["horizontal flip"]["classes"]["left"]["becomes"] == "right"
    assert "vertical flip" in values["allowed"]
    assert "horizontal flip" in values["banned"]


def test_one_image_of_near_duplicates_is_judged():
    split = bars(("top", "bottom"), 8)
    twice = split_of(np.repeat(split.images, 2, axis=0), np.repeat(split.labels, 2), split.spec.classes)
    found = probe(twice, cross_fit(twice, seed=0, steps=5))
    assert found.findings[0].pooled.images == 16


def test_one_picture_alone_cannot_be_probed():
    split = split_of(np.repeat(bars(("top",), 1).images, 4, axis=0), [0, 0, 1, 1], ("a", "b"))
    with pytest.raises(DataError, match="all images are near-duplicates of one picture"):
        probe(split, cross_fit(split, seed=0, steps=2))


def test_a_change_that_turns_a_whole_class_is_banned_however_large_the_others_are():
    found = weighed((500, 5, 1, 1), (12, 0, 12, 0), (400, 4, 0, 0))
    assert verdicts(found) == ["safe", "banned", "safe"]
    assert found.verdict == "banned"
    assert [one.name for one in found.harmed] == ["class 1"]


def test_a_few_more_errors_on_images_that_are_new_to_the_judges_are_no_harm():
    found = weighed((200, 12, 13, 2), (90, 16, 1, 7), (30, 2, 0, 0))
    assert found.classes[0].p_value < 0.01
    assert found.verdict == "safe"


def test_a_class_too_small_to_judge_inherits_the_verdict_of_all_images():
    assert verdicts(weighed((100, 0, 0, 0), (3, 3, 0, 0))) == ["safe", "safe"]
    assert verdicts(weighed((20, 0, 2, 0), (3, 3, 0, 0))) == ["safe", "unclear"]
    assert verdicts(weighed((20, 0, 20, 0), (3, 3, 0, 0))) == ["banned", "banned"]


def test_the_smallest_class_to_be_judged_is_the_smallest_that_could_ban():
    for classes in (2, 5, 10, 43):
        least = least_right(classes)
        others = [(100, 0, 0, 0)] * (classes - 1)
        enough, too_few = (weighed((n, 0, n, 0), *others).classes[0] for n in (least, least - 1))
        assert 2.0**-least * (classes + 1) <= 0.05 < 2.0 ** -(least - 1) * (classes + 1)
        assert (enough.judged, too_few.judged) == (True, False)
        assert enough.p_value * (classes + 1) <= 0.05 < too_few.p_value * (classes + 1)


def test_a_small_class_that_turns_is_never_safe():
    found = weighed((400, 0, 0, 0), (400, 0, 0, 0), (5, 0, 5, 0))
    assert found.classes[2].verdict != "safe"
    assert found.verdict != "safe"


def test_a_handful_of_images_allows_nothing():
    assert weighed((10, 0, 0, 0), (10, 0, 0, 0)).verdict == "unclear"


def test_half_of_a_class_that_may_turn_is_unclear():
    assert verdicts(weighed((400, 0, 0, 0), (10, 0, 3, 0))) == ["safe", "unclear"]


@pytest.mark.parametrize("images", [3, 5, 10, 30, 100])
@pytest.mark.parametrize(
    ("worse", "better"), [(0.02, 0.02), (0.1, 0.1), (0.3, 0.05), (0.05, 0.3), (0.6, 0.1), (0.9, 0.02)]
)
def test_intervals_of_increases_cover_95_percent(images, worse, better):
    chance = np.random.default_rng(images)
    drawn = chance.multinomial(images, [worse, better, 1 - worse - better], size=1000)
    bounds = np.array([increase_interval(turned, returned, images) for turned, returned, _ in drawn.tolist()])
    covered = (bounds[:, 0] <= worse - better) & (worse - better <= bounds[:, 1])
    assert covered.mean() >= 0.92


@pytest.mark.parametrize("images", [3, 8, 15, 25])
def test_intervals_of_increases_cover_93_percent_by_enumeration(images):
    cells = [(b, c) for b in range(images + 1) for c in range(images + 1 - b)]
    bounds = np.array([increase_interval(b, c, images) for b, c in cells])
    counts = np.array([(b, c, images - b - c) for b, c in cells])
    for worse in (0.01, 0.05, 0.2, 0.5, 0.9):
        for better in (0.01, 0.05, 0.09):
            chances = stats.multinomial.pmf(counts, images, [worse, better, 1 - worse - better])
            inside = (bounds[:, 0] <= worse - better) & (worse - better <= bounds[:, 1])
            assert chances[inside].sum() >= 0.93


def test_the_interval_is_the_published_one():
    low, high = increase_interval(7, 1, 21)  # airway hyper-responsiveness, Fagerland et al. 2014: -0.508 to -0.013
    assert (round(low, 3), round(high, 3)) == (0.013, 0.508)


def test_p_values_and_their_adjustment_are_those_of_the_formulas():
    for turned, returned in ((0, 0), (5, 0), (13, 2), (2, 9), (300, 250)):
        differ = turned + returned
        expected = sum(math.comb(differ, count) for count in range(turned, differ + 1)) / 2**differ
        assert math.isclose(mcnemar_p_value(turned, returned), expected, rel_tol=1e-9)
    assert holm([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.09, 0.09, 0.5])
    for right, images, chance in ((3, 3, 0.1), (3, 9, 0.1), (0, 5, 0.5), (0, 0, 0.5)):
        assert above_chance(right, images, chance) == pytest.approx(stats.binom.sf(right - 1, images, chance))


def test_changes_undo_themselves_exactly():
    images = np.random.default_rng(0).integers(0, 256, (3, 16, 24, 3), dtype=np.uint8)
    for name in ("horizontal flip", "vertical flip", "turn 180"):
        change = changes_for(16, 24, 3)[name]
        assert not np.array_equal(change(images), images)
        assert np.array_equal(change(change(images)), images)
    assert np.array_equal(quarter_turns(quarter_turns(images, 1), 3), images)
    assert np.array_equal(flip_horizontally(images)[0, :, 0], images[0, :, -1])


def test_a_rotation_by_90_degrees_is_a_quarter_turn_and_goes_the_same_way():
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
    assert np.abs(rotate(images, 90).astype(int) - quarter_turns(images, 1)).max() <= 1
    assert np.array_equal(rotate(images, 0), images)
    assert rotate(images[..., :1], 15).shape == (2, 16, 16, 1)


def test_hues_move_as_colorsys_says():
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
    for degrees in (18, -90):
        expected = []
        for pixel in images.reshape(-1, 3) / 255:
            hue, saturation, value = colorsys.rgb_to_hsv(*pixel)
            expected.append(colorsys.hsv_to_rgb((hue + degrees / 360) % 1, saturation, value))
        difference = shift_hue(images, degrees).reshape(-1, 3) - np.array(expected) * 255
        assert np.abs(difference).max() <= 1
    grey = np.repeat(images[..., :1], 3, axis=3)
    assert np.array_equal(shift_hue(grey, 90), grey)


def test_only_changes_that_suit_the_images_are_tested():
    assert {"turn 90", "turn 270"} <= set(changes_for(16, 16, 3))
    assert not {"turn 90", "turn 270"} & set(changes_for(16, 24, 3))
    assert any(name.startswith("hue") for name in changes_for(16, 16, 3))
    assert not any(name.startswith("hue") for name in changes_for(16, 16, 1))
    for change in changes_for(16, 24, 3).values():
        result = change(np.zeros((2, 16, 24, 3), np.uint8))
        assert (result.shape, result.dtype) == ((2, 16, 24, 3), np.uint8)
