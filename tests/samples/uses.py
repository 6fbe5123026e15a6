"""Uses of the Python interface, right and wrong; mypy must accept the first and refuse each of the others.

A wrong one carries the kind of error that mypy must find: under --strict an `ignore` that is not needed is an error.
"""

from pathlib import Path

import numpy as np
import torch
from genaug import GenerativeSampler, augment, evaluate, inspect, plan, study, verify
from numpy.typing import NDArray


def right(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
    result = augment("signs", generator="cdcgan", per_class=100, settings={"steps": 500}, progress=False)
    augment(Path("signs"), balance="max", select=["novelty"], size=64, resize="crop", recipe="cap=0.5")
    augment((images, labels), "classical", targets={"stop": 4}, size=(64, 96), top_up="none", budget="10m")
    augment("signs", recipe={"cap": 0.5}, config="run.yaml", select=(), progress=lambda work: work.title)
    counts: dict[str, dict[str, int]] = result.counts
    first: NDArray[np.uint8] = result.to_numpy()[0]
    pair: tuple[torch.Tensor, ...] = result.to_torch(size=(32, 32))[0]
    result.save("out")
    planned = plan("signs", generator="cdcgan", per_class=100, workers=2)
    scores = evaluate("signs", "out", metrics="kid").rows
    answer: str = study("signs", generator=["cdcgan", "classical"], counts=[0, 50], budget="30m", per_class=3).verdict
    facts: list[object] = [planned.cost.seconds, inspect("signs", probe=True).imbalance, verify("out").sound, scores]
    sampler = GenerativeSampler("cdcgan", sampling_strategy="auto", random_state=0, image_shape=(8, 8))
    facts += [counts, first, pair, answer, *sampler.fit_resample(images, labels)]


def wrong() -> None:
    augment("signs", balanse="max")  # type: ignore[call-arg]
    augment("signs", per_class="many")  # type: ignore[arg-type]
    augment("signs", top_up="classic")  # type: ignore[arg-type]
    augment("signs", resize="shrink")  # type: ignore[arg-type]
    augment("signs", format="zip")  # type: ignore[arg-type]
    augment("signs", check="no")  # type: ignore[arg-type]
    augment("signs", settings=["steps=3"])  # type: ignore[arg-type]
    augment("signs", progress="yes")  # type: ignore[arg-type]
    plan("signs", progress=True)  # type: ignore[call-arg]
    plan("signs", overdraft=2.0)  # type: ignore[call-arg]
    inspect("signs", True)  # type: ignore[call-arg, arg-type]
    evaluate("signs")  # type: ignore[call-arg]
    study("signs", format="parquet")  # type: ignore[call-arg]
    study("signs", folds="five")  # type: ignore[arg-type]
    verify("out").sound = False  # type: ignore[misc]
    augment("signs").to_numpy(size=64)  # type: ignore[arg-type]
    _ = augment("signs").countz  # type: ignore[attr-defined]
    GenerativeSampler("cdcgan", image_shape=8)  # type: ignore[arg-type]
