"""Descriptions of the selectors of core; does not import torch."""

from collections.abc import Sequence

from genaug.config import SelectorConfig, option
from genaug.hookspecs import SelectorDescription, hookimpl


class NoveltySelectorConfig(SelectorConfig):
    """Settings of the selector novelty."""

    found: float = option(
        0.95,
        "Share of planted copies of training images that the threshold in pixels must find.",
        unit="share",
        gt=0.0,
        lt=1.0,
    )
    lost: float = option(
        0.1, "Largest share of training images that may count as copies of each other.", unit="share", gt=0.0, lt=1.0
    )


class ConsistencySelectorConfig(SelectorConfig):
    """Settings of the selector consistency."""

    least: float = option(
        0.5, "Smallest probability of its own class with which a candidate is kept.", unit="share", ge=0.0, le=1.0
    )
    level: float = option(
        0.05,
        "Significance level of the test that the judges recognise a class better than by chance; a class that fails it "
        "gets no generated images. 1 switches the test off.",
        unit="share",
        gt=0.0,
        le=1.0,
    )


class RealismSelectorConfig(SelectorConfig):
    """Settings of the selector realism."""

    neighbours: int = option(
        3,
        "Which nearest real image is used for the distance: 3 is the third nearest.",
        unit="images",
        ge=1,
        le=100,
    )
    lost: float = option(
        0.02, "Largest share of the real images that would be outliers in the same test.", unit="share", ge=0.0, lt=1.0
    )


class DiversitySelectorConfig(SelectorConfig):
    """Settings of the selector diversity."""

    spare: float = option(2.0, "Number of candidates to choose from per wanted image.", unit="times", ge=1.0, le=100.0)


def _selector(
    name: str, factory: str, summary: str, config: type[SelectorConfig], *, paper: str = ""
) -> SelectorDescription:
    return SelectorDescription(name, summary, config, f"genaug.selectors.{factory}", paper=paper, api=1)


@hookimpl
def genaug_selectors() -> Sequence[SelectorDescription]:
    """The selectors of core: novelty, consistency, realism and diversity."""
    return [
        _selector(
            "novelty",
            "novelty:NoveltySelector",
            "rejects copies of training images and of accepted images",
            NoveltySelectorConfig,
        ),
        _selector(
            "consistency",
            "consistency:ConsistencySelector",
            "rejects images that classifiers assign to another class",
            ConsistencySelectorConfig,
        ),
        _selector(
            "realism",
            "realism:RealismSelector",
            "rejects outliers in feature space",
            RealismSelectorConfig,
            paper="Loftsgaarden and Quesenberry 1965 (Ann. Math. Stat. 36)",
        ),
        _selector(
            "diversity",
            "diversity:DiversitySelector",
            "chooses the images that differ most, from more candidates than wanted",
            DiversitySelectorConfig,
            paper="Gonzalez 1985 (Theor. Comput. Sci. 38)",
        ),
    ]
