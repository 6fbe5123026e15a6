"""Each deed has a room: an ast walk over core, the plugins and the outside example finds it done elsewhere."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "core/src/genaug"
SOURCES = [CORE, *sorted(ROOT.glob("plugins/*/src/*")), *sorted(ROOT.glob("examples/third_party/*/src/*"))]
FILES = [path for source in SOURCES for path in sorted(source.rglob("*.py"))]

# deed -> rooms of core in which it may be done
ROOMS = {
    "prints or exits": ("cli/",),
    "runs backward": ("training/",),
    "steps an optimiser": ("training/",),
    "makes or seeds random generators": ("chance.py",),
    "writes files": ("storage.py",),
    "reads files": ("storage.py", "config.py", "data/", "features/", "audit/"),
    "imports by name": ("registry.py",),
    "catches every exception": ("cli/", "registry.py", "executors/"),
}
PRINTING = {"print", "exit", "quit"}
CHANCE = {"Generator", "manual_seed", "manual_seed_all", "default_rng", "RandomState", "set_rng_state", "fork_rng"}
TORCH_DRAWS = {"rand", "randn", "randint", "randperm", "rand_like", "randn_like", "randint_like", "multinomial"}
WRITING = {
    "write_text",
    "write_bytes",
    "mkdir",
    "unlink",
    "rmdir",
    "rmtree",
    "rename",
    "touch",
    "symlink_to",
    "makedirs",
}
READING = {"read_text", "read_bytes"}


def deeds(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and _catches_all(node):
            yield "catches every exception", node.lineno
        elif isinstance(node, ast.Call):
            for deed in _deeds_of_call(node):
                yield deed, node.lineno


def _catches_all(node: ast.ExceptHandler) -> bool:
    names = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    swallows = not any(isinstance(child, ast.Raise) and child.exc is None for child in ast.walk(node))
    return any(name is None or getattr(name, "id", "") in ("Exception", "BaseException") for name in names) and swallows


def _deeds_of_call(node: ast.Call) -> Iterator[str]:
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    owner = ast.unparse(node.func.value) if isinstance(node.func, ast.Attribute) else ""
    if (name in PRINTING and not owner) or owner in ("sys.stdout", "sys.stderr") or (owner, name) == ("sys", "exit"):
        yield "prints or exits"
    if name == "echo" or (owner, name) == ("os", "_exit"):
        yield "prints or exits"
    if name == "backward":
        yield "runs backward"
    if name == "step" and "optim" in owner:
        yield "steps an optimiser"
    if name in CHANCE or owner in ("np.random", "numpy.random", "random"):
        yield "makes or seeds random generators"
    if owner == "torch" and name in TORCH_DRAWS and "generator" not in {word.arg for word in node.keywords}:
        yield "makes or seeds random generators"
    yield from _deeds_with_files(node, owner, name)


def _deeds_with_files(node: ast.Call, owner: str, name: str) -> Iterator[str]:
    if name == "import_module":
        yield "imports by name"
    if name == "open" and owner != "Image":
        yield "writes files" if _mode(node) & set("wax+") else "reads files"
    if (owner and name in WRITING) or (owner, name) in (("os", "replace"), ("os", "remove"), ("shutil", "copyfile")):
        yield "writes files"
    if owner and name in READING:
        yield "reads files"


def _mode(node: ast.Call) -> set[str]:
    literals = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
    literals += [
        word.value.value for word in node.keywords if word.arg == "mode" and isinstance(word.value, ast.Constant)
    ]
    return {letter for literal in literals if isinstance(literal, str) and len(literal) <= 3 for letter in literal}


def outside(path: Path) -> Iterator[str]:
    inner = path.relative_to(CORE).as_posix() if path.is_relative_to(CORE) else None
    for deed, line in deeds(ast.parse(path.read_text("utf-8"))):
        if inner is None or not inner.startswith(ROOMS[deed]):
            yield f"{path.relative_to(ROOT)}:{line} {deed}"


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_every_deed_is_done_in_its_room(path):
    assert list(outside(path)) == []


@pytest.mark.parametrize(
    ("code", "deed"),
    [
        ("print('x')", "prints or exits"),
        ("sys.exit(1)", "prints or exits"),
        ("typer.echo('x')", "prints or exits"),
        ("loss.backward()", "runs backward"),
        ("self.optimizer.step()", "steps an optimiser"),
        ("torch.Generator()", "makes or seeds random generators"),
        ("torch.randn(3)", "makes or seeds random generators"),
        ("np.random.rand(3)", "makes or seeds random generators"),
        ("random.random()", "makes or seeds random generators"),
        ("path.write_text('x')", "writes files"),
        ("open('x', 'w')", "writes files"),
        ("path.open('rb')", "reads files"),
        ("importlib.import_module('x')", "imports by name"),
        ("try:\n    pass\nexcept Exception:\n    pass", "catches every exception"),
        ("try:\n    pass\nexcept:\n    pass", "catches every exception"),
    ],
)
def test_a_planted_deed_is_seen(code, deed):
    assert deed in {found for found, _ in deeds(ast.parse(code))}
