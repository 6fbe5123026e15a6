"""Runs side by side: one page with the images, the settings that differ, metrics and answers of several outputs."""

import json
import re
from html import unescape

import numpy as np
import pytest
from genaug.errors import DataError, UsageError
from genaug.report import write_comparison
from PIL import Image

from tests.folders import contents
from tests.outputs import CLASSES, SCRIPT, evaluation, write_run, write_study


@pytest.fixture
def outs(tmp_path):
    """Two outputs of the same run with different records, the second with a study."""
    one, two = write_run(tmp_path / "one"), write_run(tmp_path / "two")
    write_study(two)
    text = (two / "run.json").read_text("utf-8").replace('"steps": 40', '"steps": 90')
    (two / "run.json").write_text(text, "utf-8")
    return one, two


def row(html, name):
    """The texts of the row of a table."""
    cells = re.search(rf"<th scope=\"row\"><bdi>{re.escape(name)}</bdi></th>(.*?)</tr>", html, re.DOTALL)[1]
    return re.findall(r"<td><bdi>(.*?)</bdi></td>", cells, re.DOTALL)


def test_outputs_stand_side_by_side(outs, tmp_path, genaug):
    found = genaug("report", *outs, "-o", tmp_path / "page.html")
    assert (found.code, found.out) == (0, f"{tmp_path / 'page.html'}\n")
    html = (tmp_path / "page.html").read_text("utf-8")
    assert row(html, "does it help?")[0] == "not measured"
    assert row(html, "does it help?")[1].startswith("The answer is: helps.")
    assert html.count('<th scope="col"><bdi>two</bdi></th>') >= 3
    generated, real = (
        sum(int(text.replace(",", "")) for text in row(html, name)) for name in ("generated images", "real images")
    )
    assert generated > 0 < real


def test_only_settings_that_differ_are_listed(outs, tmp_path):
    html = write_comparison(outs, tmp_path / "page.html").read_text("utf-8")
    part = html.partition("Settings that differ")[2].partition("</section>")[0]
    names = re.findall(r'<th scope="row"><bdi>(.*?)</bdi>', part)
    assert names == [name for name in names if name.endswith(".train.steps")] != []
    assert row(html, names[0]) == ["40", "90"]


def test_images_of_each_class_are_beside_each_other(outs, tmp_path):
    html = write_comparison(outs, tmp_path / "page.html").read_text("utf-8")
    body = html.partition("<tbody>")[2].partition("</tbody>")[0]
    assert body.count("<tr>") == len(CLASSES)
    for cells in body.split("<tr>")[1:]:
        assert [cell.count("<img") for cell in cells.split("<td>")[1:]] == [3, 3, 3], "real, one, two"


def test_metrics_are_compared_where_they_were_computed(outs, tmp_path):
    provenance = json.loads((outs[0] / "run.json").read_text("utf-8"))["written"]["provenance.jsonl"]
    (outs[0] / "evaluation.json").write_text(json.dumps(evaluation(provenance)), "utf-8")
    html = write_comparison(outs, tmp_path / "page.html").read_text("utf-8")
    assert row(html, "consistency[classifier] ↑") == ["0.91 (0.85 to 0.95), real 0.97", ""]
    assert row(html, "fid[pixels] ↓") == ["31, real 12.5", ""]


def test_the_page_runs_nothing_and_names_are_text(outs, tmp_path):
    html = write_comparison(outs, tmp_path / "page.html").read_text("utf-8")
    assert SCRIPT not in html
    assert "<script" not in html
    assert "script-src 'none'" in unescape(html)
    assert not re.search(r'(?:src|href)="(?!data:)', html)


def test_outputs_of_other_images_are_called_so(outs, tmp_path):
    text = (outs[1] / "run.json").read_text("utf-8").replace("0123456789abcdef", "fedcba9876543210")
    (outs[1] / "run.json").write_text(text, "utf-8")
    assert "made from different images" in write_comparison(outs, tmp_path / "page.html").read_text("utf-8")


def test_outputs_are_left_as_they_are(outs, tmp_path):
    before = [contents(out) for out in outs]
    write_comparison(outs, tmp_path / "page.html")
    assert [contents(out) for out in outs] == before
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "x.png")
    with pytest.raises(DataError, match="is no finished output"):
        write_comparison([outs[0], tmp_path], tmp_path / "other.html")
    with pytest.raises(UsageError, match="two or more outputs"):
        write_comparison(outs[:1], tmp_path / "other.html")
    assert not (tmp_path / "other.html").exists()
