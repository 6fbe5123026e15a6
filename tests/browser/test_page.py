"""The report page in a browser: its functions, with mouse and keyboard, its accessibility, and its safety."""

import hashlib
import json
from itertools import pairwise

import pytest
from genaug.report import write_comparison, write_report

from tests.outputs import CLASSES, SYNTHETIC, TAG, evaluation, write_run, write_study

PER_PAGE = 24
ALL = SYNTHETIC * len(CLASSES)


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    """The page of a run with a study and metrics, so that it has every part."""
    out = write_study(write_run(tmp_path_factory.mktemp("run") / "out"))
    seen = hashlib.sha256((out / "provenance.jsonl").read_bytes()).hexdigest()
    (out / "evaluation.json").write_text(json.dumps(evaluation(seen)), "utf-8")
    return write_report(out)


@pytest.fixture(scope="module")
def study_file(tmp_path_factory):
    return write_report(write_study(tmp_path_factory.mktemp("study") / "out", "no evidence"))


@pytest.fixture(scope="module")
def comparison_file(page_file, study_file, tmp_path_factory):
    return write_comparison([page_file.parent, study_file.parent], tmp_path_factory.mktemp("comparison") / "page.html")


def status(page, gallery="images"):
    return page.locator(f"#{gallery}-status").inner_text()


def realism(page):
    """The realism scores of the images on the page, in order."""
    rows = page.locator("#images-cards .scores div", has_text="realism").locator("dd")
    return [float(text) for text in rows.all_inner_texts()]


def reject_button(page, place):
    return page.locator("#images-cards .reject-button").nth(place)


def test_paging_shows_every_image_once(visit, page_file):
    page = visit(page_file)
    seen = []
    next_page = page.locator("#images-next")
    for number in range(4):
        assert f"page {number + 1} of 4" in page.locator("#images-page").inner_text()
        seen += page.locator("#images-cards img[alt^='synthetic']").evaluate_all("all => all.map(one => one.src)")
        if number < 3:
            next_page.click()
    assert next_page.get_attribute("aria-disabled") == "true"
    assert len(seen) == len(set(seen)) == ALL
    assert f"Images {ALL - ALL % PER_PAGE + 1} to {ALL} of {ALL};" in status(page)


def test_the_lowest_scores_come_first_until_another_order_is_chosen(visit, page_file):
    page = visit(page_file)
    assert realism(page) == [number / 100 for number in range(PER_PAGE)]
    page.get_by_label("Order").first.select_option("highest")
    assert realism(page) == [(ALL - 1 - number) / 100 for number in range(PER_PAGE)]


def test_the_images_that_pass_the_filters_are_counted_for_screen_readers_too(visit, page_file):
    page = visit(page_file)
    assert page.locator("#images-status").get_attribute("aria-live") == "polite"
    page.locator("#images-class").select_option("2")
    assert status(page).startswith(f"Images 1 to {PER_PAGE} of {SYNTHETIC} ({ALL} without filters)")
    page.locator("#images-generator").select_option(label="second")
    assert f"of {SYNTHETIC // 2} " in status(page)
    page.get_by_label("Lowest score").first.fill("0.85")
    assert realism(page) == [0.85, 0.87, 0.89]
    page.locator("#images-score").select_option(label="novelty")
    assert f"of {SYNTHETIC // 2} " in status(page)
    page.get_by_label("Highest score").first.fill("0.5")
    assert status(page).startswith("No image matches these filters")


def test_rejected_images_are_listed_by_their_exact_names_whatever_is_shown(visit, page_file):
    page = visit(page_file)
    reject_button(page, 0).click()
    page.locator("#images-class").select_option("2")
    reject_button(page, 1).click()
    reject_button(page, 2).click()
    reject_button(page, 2).click()
    page.locator("#images-class").select_option("")
    assert "2 rejected" in status(page)
    assert reject_button(page, 0).get_attribute("aria-pressed") == "true"
    page.get_by_label("rejected only").check()
    assert status(page).startswith("Images 1 to 2 of 2 ")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download rejected.json").click()
    assert waiting.value.suggested_filename == "rejected.json"
    names = [f"train/{TAG}/first-000000.png", f"train/{CLASSES[2]}/second-000001.png"]
    assert json.loads(waiting.value.path().read_text("utf-8")) == {"format": 1, "rejected": names}


def test_a_rejected_copy_is_beside_its_original_and_real_images_have_their_class(visit, page_file):
    page = visit(page_file)
    first, second = (page.locator("#rejected-cards .card").nth(place) for place in (0, 1))
    assert first.locator("figcaption").all_inner_texts() == ["candidate", f"copy of: {TAG}"]
    assert first.locator("img").nth(1).get_attribute("alt") == f"copied real image, {TAG}/1.png"
    assert second.locator("figcaption").all_inner_texts() == ["candidate"]
    nearest = page.locator("#images-cards .card").first.locator("figcaption").nth(1)
    assert nearest.inner_text() == f"nearest real: {TAG}"


def test_rejections_are_kept_after_a_reload(visit, page_file):
    page = visit(page_file)
    reject_button(page, 3).click()
    page.reload()
    assert "1 rejected" in status(page)
    assert reject_button(page, 3).get_attribute("aria-pressed") == "true"


def test_everything_can_be_done_with_the_keyboard(visit, page_file):
    page = visit(page_file)
    page.locator("#images-order").focus()
    page.keyboard.press("ArrowDown")
    assert realism(page)[0] == (ALL - 1) / 100
    reject_button(page, 0).focus()
    page.keyboard.press("Space")
    assert reject_button(page, 0).get_attribute("aria-pressed") == "true"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert reject_button(page, 1).get_attribute("aria-pressed") == "true"
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) == "solid"
    page.locator("#images-next").press("Enter")
    assert page.evaluate("document.activeElement.id") == "images-next"
    assert "page 2" in page.locator("#images-page").inner_text()


def test_hostile_names_are_text_and_nothing_else(visit, page_file):
    page = visit(page_file)
    assert page.locator("img[src='x']").count() == 0
    assert page.locator(f"#classes th:has-text('{TAG}')").count() == 1
    assert page.locator("#images-cards .label").first.inner_text() == TAG
    sources = page.locator("img").evaluate_all("all => all.map(one => [one.src.slice(0, 16), one.naturalWidth > 0])")
    assert len(sources) > PER_PAGE
    assert {tuple(one) for one in sources} == {("data:image/webp;", True), ("data:image/png;b", True)}
    assert page.locator("script").count() == 2


def test_the_policy_blocks_scripts_and_styles_that_are_not_of_the_page(visit, page_file, tmp_path):
    planted = '<main><script>document.title = "mine"</script><style>h1 { color: red }</style>'
    html = page_file.read_text("utf-8").replace("<main>", planted, 1).replace("<h1>", '<h1 onclick="alert(3)">', 1)
    (tmp_path / "bad.html").write_text(html, "utf-8")
    page = visit(tmp_path / "bad.html", complaining=True)
    page.locator("h1").click()
    assert page.title() != "mine"
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).color") != "rgb(255, 0, 0)"


def test_a_model_is_chosen_and_its_curves_are_shown_alone(visit, page_file):
    page = visit(page_file)
    assert page.locator(".curve-of:visible figcaption").all_inner_texts() == [
        "Training losses of first, all classes (logarithmic scale)"
    ]
    page.get_by_label("Model", exact=True).select_option(label="second, all classes")
    assert page.locator(".curve-of:visible").count() == 1
    assert "second" in page.locator(".curve-of:visible figcaption").inner_text()


def test_the_settings_are_downloaded_as_the_page_shows_them(visit, page_file):
    page = visit(page_file)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download run.yaml").click()
    assert waiting.value.path().read_text("utf-8") == page.locator("#config").text_content()


def test_without_javascript_everything_but_the_images_is_shown(visit, page_file):
    page = visit(page_file, javascript=False)
    assert "need JavaScript" in page.locator("noscript").first.inner_text()
    assert page.locator(".curve-of:visible").count() == 2
    assert page.locator("#download").is_hidden()


@pytest.mark.parametrize("width", [320, 390, 1440])
@pytest.mark.parametrize("file", ["page_file", "study_file", "comparison_file"])
def test_nothing_is_wider_than_the_screen(visit, request, file, width):
    page = visit(request.getfixturevalue(file), width=width)
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("file", ["page_file", "study_file", "comparison_file"])
def test_axe_finds_nothing_serious(visit, request, file, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = visit(request.getfixturevalue(file), scheme=scheme)
    if file == "page_file":
        reject_button(page, 0).click()
        page.locator("summary").evaluate_all("all => all.forEach(one => one.click())")
    found = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")] == []


def test_headings_go_down_one_step_at_a_time_and_landmarks_have_names(visit, page_file):
    page = visit(page_file)
    levels = page.locator("h1, h2, h3").evaluate_all("all => all.map(one => Number(one.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for role in ("banner", "main", "contentinfo"):
        assert page.get_by_role(role).count() == 1
    for link in page.locator(".contents a").all():
        assert page.locator(link.get_attribute("href")).count() == 1


def test_navigation_and_buttons_are_not_printed(visit, page_file):
    page = visit(page_file)
    page.emulate_media(media="print")
    assert page.locator(".contents").is_hidden()
    assert page.locator("button:visible").count() == 0
    assert page.locator("#classes table").is_visible()
