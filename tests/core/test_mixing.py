"""Plans, file names, marks, contact sheets and the output folder."""

import io
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from genaug.errors import OutputError, UsageError
from genaug.output.contact_sheets import COLUMNS, SheetRow, contact_sheet
from genaug.output.file_names import converted, flat_names, synthetic_name
from genaug.output.folder import OutputFolder
from genaug.output.mark import SOURCE_TYPE, marked_png
from genaug.targets.plan import ImagePlan, MixConfig, plan_images
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

COUNTS = st.dictionaries(st.text(min_size=1, max_size=4), st.integers(1, 500), min_size=1, max_size=8)


@given(COUNTS, st.integers(0, 1000))
def test_per_class_gives_this_number_to_each_class(counts, number):
    assert plan_images(counts, MixConfig(per_class=number)).generated == dict.fromkeys(counts, number)


@given(COUNTS, st.one_of(st.sampled_from(["max", "median", "1.0", "0.5", "0.01"]), st.integers(0, 900).map(str)))
def test_a_balance_fills_every_class_up_and_takes_nothing_away(counts, balance):
    plan = plan_images(counts, MixConfig(balance=balance)).generated
    sums = {name: counts[name] + plan[name] for name in counts}
    assert list(plan) == list(counts)
    assert min(plan.values()) >= 0
    goal = min(total for name, total in sums.items() if plan[name]) if any(plan.values()) else 0
    assert all(sums[name] == goal for name in counts if plan[name])
    assert all(count >= goal for name, count in counts.items() if not plan[name])


@pytest.mark.parametrize(
    ("balance", "plan"),
    [
        ("max", {"a": 0, "b": 6, "c": 9}),
        ("median", {"a": 0, "b": 0, "c": 3}),
        ("0.5", {"a": 0, "b": 1, "c": 4}),
        ("12", {"a": 2, "b": 8, "c": 11}),
    ],
)
def test_balances_by_example(balance, plan):
    assert plan_images({"a": 10, "b": 4, "c": 1}, MixConfig(balance=balance)).generated == plan


def test_without_a_target_the_mix_is_even():
    plan = plan_images({"a": 10, "b": 4, "c": 1}, MixConfig())
    assert plan == ImagePlan(top_up={"a": 0, "b": 6, "c": 9}, generated={"a": 4, "b": 4, "c": 4})
    assert plan.total == {"a": 4, "b": 10, "c": 13}


def test_without_a_target_variants_of_real_images_fill_up_to_the_largest():
    plan = plan_images({"a": 10, "b": 4}, MixConfig(), evenly=False)
    assert plan == ImagePlan(top_up={"a": 0, "b": 0}, generated={"a": 0, "b": 6})


@given(COUNTS, st.integers(0, 100))
def test_topped_up_classes_get_the_same_number_of_each_kind(counts, number):
    plan = plan_images(counts, MixConfig(per_class=number, top_up="classical"))
    assert {counts[name] + plan.top_up[name] for name in counts} == {max(counts.values())}
    assert set(plan.generated.values()) == {number}


def test_a_balance_counts_what_tops_up():
    counts = {"a": 10, "b": 4}
    assert plan_images(counts, MixConfig(balance="max", top_up="oversample")).generated == {"a": 0, "b": 0}
    assert plan_images(counts, MixConfig(balance="12", top_up="oversample")).generated == {"a": 2, "b": 2}
    assert plan_images(counts, MixConfig(top_up="none")) == ImagePlan({"a": 0, "b": 0}, {"a": 0, "b": 6})


def test_a_table_names_classes_and_leaves_the_others_alone():
    assert plan_images({"a": 1, "b": 1}, MixConfig(targets={"b": 3})).generated == {"a": 0, "b": 3}
    with pytest.raises(UsageError, match="did you mean 'stop'"):
        plan_images({"stop": 1}, MixConfig(targets={"stpo": 3}))
    with pytest.raises(UsageError, match="0 or more"):
        plan_images({"a": 1}, MixConfig(targets={"a": -1}))


@pytest.mark.parametrize("balance", ["", "most", "-1", "1.5", "0.0", "nan", "inf", "١٢"])
def test_a_balance_that_cannot_be_read_is_refused(balance):
    with pytest.raises(UsageError, match="max, median"):
        plan_images({"a": 1}, MixConfig(balance=balance))


def test_a_plan_beyond_all_measure_is_refused():
    with pytest.raises(UsageError, match="at most 1,000,000"):
        plan_images({"a": 1, "b": 1}, MixConfig(per_class=500_001))


PARTS = st.text(st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]), min_size=1, max_size=12).filter(
    lambda part: part not in (".", "..")
)


@given(st.lists(st.lists(PARTS, min_size=1, max_size=3).map("/".join), unique=True, max_size=12))
def test_flat_names_are_flat_unique_and_readable(inner):
    reserved = [("a", synthetic_name("gan", number)) for number in range(3)]
    names = flat_names([(f"a/{name}", "PNG") for name in [*inner, "gan-000001.png"]], reserved)
    lowered = [name.lower() for name in names]
    assert len(set(lowered)) == len(names)
    assert not set(lowered) & {name for _, name in reserved}
    assert all("/" not in name and name.lower().endswith(SUFFIXES) for name in names)


SUFFIXES = (".png", ".jpg", ".jpeg", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


def test_names_by_example():
    files = [
        ("a/x.PNG", "PNG"),
        ("a/sub/x.jpg", "JPEG"),
        ("a/anim.gif", "GIF"),
        ("b/none", "WEBP"),
        ("b/photo.jfif", "JPEG"),
    ]
    assert flat_names(files) == ["x.PNG", "sub__x.jpg", "anim.png", "none.webp", "photo.jpg"]
    assert converted("GIF", "a/anim.gif")
    assert not converted("GIF", "a/lies.jpg")
    (long,) = flat_names([("a/" + "標" * 200 + ".png", "PNG")])
    assert len(long.encode()) < 250


def test_a_synthetic_png_says_what_it_is_and_keeps_its_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    facts = {"genaug": "1.0", "generator": 'the "&<odd> one', "class": "標", "index": 3}
    data = marked_png(pixels, facts)
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert np.array_equal(np.asarray(image), pixels)
        packet = image.info["XML:com.adobe.xmp"]
    tree = ET.fromstring(packet[packet.index("<x:xmpmeta") : packet.rindex("<?xpacket")])
    values = [value for element in tree.iter() for value in element.attrib.values()]
    assert SOURCE_TYPE in values
    assert any('the "&<odd> one' in value for value in values)
    assert marked_png(pixels, facts) == data


@pytest.mark.parametrize(("real", "synthetic"), [(0, 3), (5, 0), (200, 200), (1, 1)])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_contact_sheet_shows_up_to_64_of_each(real, synthetic, channels):
    tile = np.full((16, 24, channels), 120, np.uint8)
    parts = [SheetRow("real", [tile] * real, real), SheetRow("generated", [tile] * synthetic, synthetic)]
    with Image.open(io.BytesIO(contact_sheet("a\n標" * 60, parts))) as sheet:
        rows = -(-min(real, 64) // COLUMNS) + -(-min(synthetic, 64) // COLUMNS)
        assert sheet.width > COLUMNS * 24
        assert sheet.height > rows * 48


def folder(tmp_path, name="out"):
    return OutputFolder(tmp_path / name)


def test_a_folder_that_is_not_ours_is_refused(tmp_path):
    (tmp_path / "out").mkdir()
    folder(tmp_path).check(tmp_path / "data", {})
    (tmp_path / "out/x").write_bytes(b"")
    with pytest.raises(OutputError, match="holds something else"):
        folder(tmp_path).check(tmp_path / "data", {})
    with pytest.raises(OutputError, match="is a file"):
        folder(tmp_path, "out/x").check(tmp_path / "data", {})


@pytest.mark.parametrize(("out", "data"), [("x", "x"), ("x/y", "x"), ("x", "x/y")])
def test_output_and_data_must_not_overlap(tmp_path, out, data):
    with pytest.raises(OutputError, match="overlap"):
        folder(tmp_path, out).check(tmp_path / data, {})


def test_other_settings_are_refused_naming_what_differs(tmp_path):
    out = folder(tmp_path)
    out.claim({"model": {"width": 3}, "seed": 0})
    out.check(tmp_path / "data", {"model": {"width": 3}, "seed": 0})
    out.check(tmp_path / "data", {"model": {"width": 4}, "seed": 0})  # no work was done yet
    (out.own / "model").write_text("trained", "utf-8")
    with pytest.raises(OutputError, match=r"model\.width: 3 there, 4 now"):
        out.check(tmp_path / "data", {"model": {"width": 4}, "seed": 0})


def test_what_the_disk_cannot_hold_is_refused_before_any_work(tmp_path):
    folder(tmp_path).check_room(1)
    with pytest.raises(OutputError, match="GB free"):
        folder(tmp_path).check_room(10**18)


def test_publishing_replaces_what_was_there_and_marks_the_end_with_run_json(tmp_path):
    out = folder(tmp_path)
    for text in ("one", "two"):
        out.stage.mkdir(parents=True)
        (out.stage / "classes.json").write_text(text)
        (out.stage / "run.json").write_text(text)
        out.publish()
        assert (out.path / "classes.json").read_text() == (out.path / "run.json").read_text() == text
    assert not out.stage.exists()
