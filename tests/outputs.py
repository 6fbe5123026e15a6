"""Writes small outputs with hostile names, without running genaug, for tests of the report page."""

import base64
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

TAG = "<img src=x onerror=alert(1)>"
RIGHT_TO_LEFT = '"quoted" & \u202egnp\u202c \u2028'
NOT_UTF8 = "caf\udce9"
CLASSES = (TAG, RIGHT_TO_LEFT, NOT_UTF8)
SCRIPT = "</script><script>alert(2)</script>"
REAL, SYNTHETIC, REJECTED = 4, 30, 3


def write_run(out: Path, *, generators: tuple[str, ...] = ("first", "second"), pictures: bool = True) -> Path:
    """Write a run of three classes, each with four real and thirty synthetic images, with scores 0.00, 0.01, ..."""
    lines = [line for label in range(len(CLASSES)) for line in _class(out, label, generators)]
    provenance = _write_lines(out / "provenance.jsonl", lines)
    _write_lines(out / "rejections.jsonl", _rejections(out, generators[0], pictures=pictures))
    counts = {name: {"real": REAL, "classical": 0, "generated": SYNTHETIC} for name in CLASSES}
    _write(out / "classes.json", {"classes": list(CLASSES), "counts": counts})
    _write(out / "run.json", _run(generators) | {"written": {"provenance.jsonl": provenance}})
    fits = [{"model": f"{name}/all.safetensors", "seconds": 7.5, "reused": False} for name in generators]
    host = {"system": "Linux", "python": "3.11", "torch": "2.13"}
    timings = {"started": "2026-01-01T00:00:00Z", "seconds": 20.0, "workers": 1, "host": host, "fits": fits}
    _write(out / "timings.json", timings)
    for name in generators:
        losses = [[step, {"discriminator": 2.0 / (step + 1), "generator": 1.0 + step % 3}] for step in range(40)]
        _write(out / f"models/{name}/all.json", {"losses": losses})
    return out


def write_study(out: Path, verdict: str = "helps") -> Path:
    """Write a study of two classes with five arms, a figure and a test split."""
    _write(out / "study.json", study(verdict))
    return out


def evaluation(provenance: str) -> dict[str, Any]:
    """The values of evaluation.json with two metrics, one of them without an interval."""
    inside = {TAG: {"value": 0.9, "low": None, "high": None}}
    shared = {"matched": None, "note": "", "images": 60, "real_images": 7, "classes": inside}
    rows = [
        shared
        | {"name": "consistency[classifier]", "higher_is_better": True, "real": 0.97}
        | {"value": 0.91, "low": 0.85, "high": 0.95},
        shared
        | {"name": "fid[pixels]", "higher_is_better": False, "real": 12.5, "matched": 14.5, "note": "few images"}
        | {"value": 31.0, "low": None, "high": None},
    ]
    return {"provenance": provenance, "features": "classifier", "note": "", "rows": rows}


def study(verdict: str = "helps") -> dict[str, Any]:
    """The values of study.json as `genaug study` writes them."""
    arms = [_arm("real", "real", 0.84), _arm("real, balanced", "real", 0.85), _arm("real + classical", "real", 0.88)]
    arms += [_arm("first", "synthetic", 0.91), _arm("second + classical", "synthetic", 0.87)]
    recalls = [
        {"class": name, "images": 9, "real": 0.8, "synthetic": value, "difference": _estimate(value - 0.8), "p": 0.04}
        | {"verdict": word}
        for name, value, word in (("stop", 0.9, "helps"), (TAG, 0.7, "harms"))
    ]
    scored = {"arm": "first", "balanced_accuracy": 0.9}
    test = {"images": 40, "uses": 2, "real": scored, "synthetic": scored, "recommended": scored}
    figure = [
        {"generator": name, "arm": f"{name} {count}", "count": count}
        | {"balanced_accuracy": _estimate(low + count / 1000)}
        for name, low in (("first", 0.8), ("second", 0.77))
        for count in (25, 50, 100)
    ]
    splits = {"on": "folds", "images": 18, "folds": 5, "repeats": 2, "done": 10, "planned": 10, "held_out_share": 0.2}
    return {
        "format": 2,
        "genaug": "0.1.0",
        "data": {"classes": ["stop", TAG], "counts": [9, 9], "size": [16, 16], "images": 18},
        "generators": ["first", "second"],
        "classifier": "small",
        "steps": 800,
        "seeds": 2,
        "length": {"sentence": "Every classifier is trained for 800 steps.", "curve": []},
        "splits": splits,
        "arms": arms,
        "headline": {
            "verdict": verdict,
            "sentence": f"The answer is: {verdict}.",
            "without": [f"Trained on your images as they are: balanced accuracy 0.840, {TAG}."],
            "estimand": "A difference is the expected one.",
            "real": ["real"],
            "synthetic": ["first"],
        }
        | {"difference": _estimate(0.03) | {"p": 0.02}},
        "classes": recalls,
        "recommendation": {"arm": "first", "synthetic": True, "sentence": "Train with the images of first."},
        "certainty": "Ten splits were done; twice as many would narrow the interval by a third.",
        "test": test | {"difference": _estimate(0.02), "sentence": "The test split agrees."},
        "figure": figure,
        "suspects": [_suspect("stop/1.png"), _suspect(f"{TAG}/2.png") | {"picture": None}],
        "cost": {"seconds": 1200.0, "seconds_per_split": 120.0},
    }


def _suspect(file: str) -> dict[str, Any]:
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16), (90, 120, 40)).save(buffer, "PNG")
    facts = {"file": file, "class": "stop", "predicted": TAG, "classifiers": 8, "agreeing": 7}
    return facts | {"picture": base64.b64encode(buffer.getvalue()).decode()}


def _arm(name: str, kind: str, mean: float) -> dict[str, Any]:
    synthetic = kind == "synthetic"
    difference = _estimate(mean - 0.88) | {"p": 0.03, "verdict": "helps" if mean > 0.9 else "no evidence"}
    facts = {"name": name, "kind": kind, "generator": "first" if synthetic else None, "classical": False}
    facts |= {"balanced": False, "recipe": None, "count": None, "recall": {"stop": 0.9}}
    scores = {"balanced_accuracy": _estimate(mean), "macro_f1": _estimate(mean - 0.01)}
    return facts | scores | {"difference": difference if synthetic else None}


def _estimate(mean: float) -> dict[str, float]:
    return {"mean": mean, "low": mean - 0.02, "high": mean + 0.02}


def _class(out: Path, label: int, generators: tuple[str, ...]) -> list[dict[str, Any]]:
    name = CLASSES[label]
    real = [f"train/{name}/{number}.png" for number in range(REAL)]
    lines = [{"file_name": file, "split": "train", "label": name, "synthetic": False, "weight": 1.0} for file in real]
    for number in range(SYNTHETIC):
        generator = generators[number % len(generators)]
        score = round((number + SYNTHETIC * label) / 100, 2)
        facts = {"file_name": f"train/{name}/{generator}-{number:06d}.png", "split": "train", "label": name}
        facts |= {"synthetic": True, "generator": generator, "index": number, "parents": [real[0]], "weight": 0.5}
        facts |= {"scores": {"novelty": 1.0, "realism": score}}
        lines.append(facts | {"nearest": {"file_name": real[number % REAL], "distance": 0.25}})
    for number, line in enumerate(lines):
        _image(out / line["file_name"], 100 * label + number)
    return lines


def _rejections(out: Path, generator: str, *, pictures: bool) -> list[dict[str, Any]]:
    sheet = "contact-sheets/rejected-000.png"
    _image(out / sheet, 999, size=20 * REJECTED)
    boxes = [[20 * number, 0, 20 * number + 20, 20] for number in range(REJECTED)]
    original = {"picture": {"file": sheet, "box": [0, 20, 20, 40]}} if pictures else {}
    copied = {"copied": {"name": f"{TAG}/1.png", "class": TAG} | original}
    return [
        {"generator": generator, "class": TAG, "index": 70 + number, "selector": "realism", "reason": f"far {SCRIPT}"}
        | {"scores": {"realism": 0.01}}
        | ({"picture": {"file": sheet, "box": box}} if pictures else {})
        | ({} if number else copied)
        for number, box in enumerate(boxes)
    ]


def _run(generators: tuple[str, ...]) -> dict[str, Any]:
    fits = [
        {"generator": name, "class": None, "model": f"models/{name}/all.safetensors", "steps": 40}
        for name in generators
    ]
    shared = {"genaug": "0.1.0", "format": "folder", "classes": list(CLASSES), "fits": fits, "only_synthetic": False}
    plan = dict.fromkeys(CLASSES, SYNTHETIC)
    part = dict.fromkeys(CLASSES, SYNTHETIC // len(generators))
    settings = {"model": {}, "train": {"steps": 40}, "augmentation": {}, "device": "cpu", "pooled_threads": 1}
    selection = {"selectors": [], "overdraw": 4.0, "judge_steps": 800, "on_shortfall": "leave"}
    shared |= {"size": [16, 16], "resize": "stretch", "data": "0123456789abcdef", "seed": 0, "preset": "auto"}
    shared |= {
        "filled_up": {TAG: 2},
        "shortfall": {NOT_UTF8: 1},
        "failures": {},
        "top_up": None,
        "resolution": "real",
        "selection": selection,
        "probe": False,
    }
    shared |= {"generators": [settings | {"generator": name} for name in generators], "plan": plan}
    return shared | {"shares": dict.fromkeys(generators, part), "recipe": {"mode": "concatenate"}}


def _image(path: Path, seed: int, size: int = 16) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def _write(path: Path, values: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values), "utf-8")


def _write_lines(path: Path, lines: list[dict[str, Any]]) -> str:
    """Write JSON lines and return the SHA-256 of the file."""
    data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()
