"""Plugins are found by entry point and described without torch, and a broken one does not affect the others."""

import subprocess
import sys

import pytest
from genaug.errors import PluginError, UsageError
from genaug.registry import import_factory, load_registry

PLUGIN = """
from genaug.config import GeneratorConfig
from genaug.hookspecs import GeneratorDescription, Needs, hookimpl

@hookimpl
def genaug_generators():
    return [GeneratorDescription(name={name!r}, summary="", rank=1, config=GeneratorConfig, presets={{}},
                                 factory={factory!r}, conditioning="class", api={api},
                                 needs=Needs({needs}))]
"""

HOOK = "from genaug.hookspecs import hookimpl\n@hookimpl"


def plugin(name="mine", factory="mine:Mine", api=1, needs=""):
    return PLUGIN.format(name=name, factory=factory, api=api, needs=needs)


def test_an_installed_plugin_is_found_and_ranked(install):
    install("mine", plugin())
    registry = load_registry()
    assert registry.generators.source("mine").distribution == "mine"
    assert registry.default_generator() == "mine"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise ImportError('no such library')", "no such library"),
        ("import this_is_not_installed", "this_is_not_installed"),
        (plugin(api=2), "'mine' was written for API version 2, and this genaug has version 1; update genaug"),
        (plugin(needs="sizes=(8, 64)"), "the sizes of 'mine' must be a range in [16, 1024]"),
        (plugin(needs="sizes=(64, 32)"), "the sizes of 'mine' must be a range in [16, 1024]"),
        (plugin(needs="multiple=12"), "and a multiple of 8"),
        (plugin(needs="sizes=(40, 60), multiple=32"), "no multiple of 32 lies in [40, 60]"),
        (plugin(needs="native=(32, 2048)"), "got 2048"),
        (plugin(api=0), "'mine' was written for API version 0, and this genaug has version 1; update the plugin"),
        (plugin(api="None"), "written for API version None, and this genaug has version 1; update the plugin"),
        (plugin().replace(", api=1", ""), "missing 1 required keyword-only argument: 'api'"),
        (f"{HOOK}\ndef genaug_generators():\n    return ['x']", "got str"),
        (f"{HOOK}\ndef genaug_generators():\n    return 1 / 0", "ZeroDivision"),
        (f"{HOOK}\ndef genaug_generator():\n    return []", "genaug_generator"),
        ("def genaug_metrics():\n    return []", "genaug_metrics lacks the decorator @hookimpl"),
        ("def hello():\n    return []", "it has none of the hooks genaug_generators"),
        ("raise BaseException('bare')", "BaseException: bare (broken.py:1)"),
        ("x = 1\nimport this_is_not_installed", "'this_is_not_installed' (broken.py:2)"),
    ],
)
def test_a_broken_plugin_does_not_affect_the_others(install, source, reason):
    install("broken", source)
    registry = load_registry()
    (fault,) = registry.faults
    assert fault.source.distribution == "broken"
    assert reason in fault.reason
    assert {"classical", "oversample"} <= set(registry.generators.names())


def test_two_plugins_with_one_name_are_an_error_that_names_both(install):
    install("twin", plugin("classical"))
    registry = load_registry()
    with pytest.raises(PluginError, match="claimed by genaug and twin"):
        registry.generators.get("classical")
    assert registry.generators.get("oversample")
    assert "classical" in registry.generators.clashes()[0]


def test_the_environment_variable_restricts_plugins_but_not_those_of_core(install, monkeypatch):
    install("mine", plugin())
    monkeypatch.setenv("GENAUG_PLUGINS", "mine")
    assert set(load_registry().generators.names()) == {"classical", "oversample", "mine"}
    monkeypatch.setenv("GENAUG_PLUGINS", "")
    assert set(load_registry().generators.names()) == {"classical", "oversample"}
    monkeypatch.setenv("GENAUG_PLUGINS", "mien")
    with pytest.raises(UsageError, match="GENAUG_PLUGINS names mien"):
        load_registry()


def test_a_missing_factory_is_reported_with_the_name_of_the_plugin(install):
    install("mine", plugin(factory="mine:Missing"))
    with pytest.raises(PluginError, match="'mine' cannot be loaded from mine:Missing"):
        import_factory(load_registry().generators.get("mine"))


@pytest.mark.parametrize(
    "code",
    [
        "import genaug",
        "import genaug.registry, genaug.hookspecs, genaug.config, genaug.spec, genaug.errors",
        "from genaug.cli.app import _exit_code; assert _exit_code(['--help']) == 0",
        "from genaug.cli.app import _exit_code; assert _exit_code(['plugins']) == 0",
        "from genaug.cli.app import _exit_code; assert _exit_code(['plugins', 'show', 'cdcgan']) == 0",
        "from genaug.cli.app import _exit_code; assert _exit_code(['plugins', 'show', 'novelty']) == 0",
    ],
)
def test_listing_plugins_imports_no_heavy_library(code):
    heavy = "{'torch', 'torchvision', 'albumentations', 'sklearn', 'accelerate', 'numpy', 'PIL'}"
    check = f"{code}\nimport sys\nloaded = {heavy} & set(sys.modules)\nassert not loaded, loaded"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_api_imports_slow_libraries_only_when_they_are_needed():
    slow = "{'torchvision', 'torchmetrics', 'sklearn', 'albumentations', 'diffusers', 'datasets', 'pyarrow'}"
    check = f"import genaug.api, sys\nloaded = {slow} & set(sys.modules)\nassert not loaded, loaded"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
