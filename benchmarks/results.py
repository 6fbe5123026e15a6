"""The page of results: each benchmark replaces its own part."""

from pathlib import Path

TITLE = """# Results of the benchmarks

`make bench` measures all of this anew. Compare ratios of one run alone.

"""


def write_part(page: Path | None, name: str, text: str) -> None:
    """Print the text, and put it into the page, where there is one, in place of the part of this name."""
    print(text)
    if page is None:
        return
    begin, end = f"<!-- {name}: written by benchmarks/{name}.py -->\n", f"<!-- end of {name} -->\n"
    before, found, rest = (page.read_text() if page.exists() else TITLE).partition(begin)
    after = rest.partition(end)[2] if found else ""
    page.write_text(f"{before}{begin}{text}\n{end}{after}")
