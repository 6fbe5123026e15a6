"""Outside plugins are tested where they are installed: tests/integration/test_third_party.py does that."""

from importlib.metadata import entry_points
from pathlib import Path

_INSTALLED = {entry.name for entry in entry_points(group="genaug")}
collect_ignore_glob = [
    f"third_party/{path.name}/*"
    for path in (Path(__file__).parent / "third_party").iterdir()
    if path.name.removeprefix("genaug-") not in _INSTALLED
]
