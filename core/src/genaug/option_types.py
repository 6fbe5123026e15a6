"""The options of the Python functions with their types, and a signature that lists them."""

import inspect as signatures
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar

if TYPE_CHECKING:
    from genaug.mixing.recipe import RecipeConfig
    from genaug.progress import Work

Function = TypeVar("Function", bound=Callable[..., Any])
Name = str | Path
Pixels = int | tuple[int, int] | str
Target = float | str
Settings = Mapping[str, Any]
Resize = Literal["auto", "fit", "crop", "stretch"]
TopUp = Literal["classical", "oversample", "none"]
Shortfall = Literal["classical", "oversample", "leave", "fail"]
Format = Literal["folder", "webdataset", "parquet"]


class StudyOptions(TypedDict, total=False):
    """The options of `study` that it shares with `augment` and `plan`, which describe them."""

    per_class: int | None
    balance: Target | None
    targets: Mapping[str, int] | None
    top_up: TopUp | None
    preset: str
    settings: Settings | None
    config: Name | None
    size: Pixels | None
    resize: Resize
    classes: Sequence[str] | None
    groups: str | None
    seed: int
    device: str
    workers: int | None
    select: Sequence[str] | str | None
    selectors: Mapping[str, Settings]
    overdraw: float
    judge_steps: int
    on_shortfall: Shortfall
    probe: bool
    model: Settings
    train: Settings
    augmentation: Settings
    generators: Mapping[str, Settings]


class PlanOptions(StudyOptions, total=False):
    """The options of `plan`; `augment` describes them."""

    sampling_strategy: Any
    resolution: int | Literal["real"]
    train_size: int | None
    recipe: "str | Settings | RecipeConfig"
    gate: bool
    check: bool
    budget: int | str | None
    reject: Name | None
    format: Format
    only_synthetic: bool


class AugmentOptions(PlanOptions, total=False):
    """The options of `augment`, which describes them."""

    progress: "bool | Callable[[Work], object]"


class _LeftOut:
    """The default of an option in a signature, where the config of a run decides it."""

    def __repr__(self) -> str:
        return "..."


_LEFT_OUT = _LeftOut()


def spelled_out(options: type) -> Callable[[Function], Function]:
    """Give a function a signature that lists every option of a TypedDict, for help() and notebooks."""

    def decorate(function: Function) -> Function:
        kind = signatures.Parameter.KEYWORD_ONLY
        own = [one for one in signatures.signature(function).parameters.values() if one.kind is not one.VAR_KEYWORD]
        known = {one.name for one in own}
        more = [
            signatures.Parameter(
                name, kind, default=_LEFT_OUT, annotation=getattr(annotation, "__forward_arg__", annotation)
            )
            for name, annotation in signatures.get_annotations(options).items()
            if name not in known
        ]
        function.__signature__ = signatures.Signature([*own, *more])  # type: ignore[attr-defined]
        return function

    return decorate
