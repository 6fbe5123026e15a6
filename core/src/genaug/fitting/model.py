"""Models on disk: weights and memory as safetensors, everything else in a JSON file beside it; never a pickle."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from genaug.chance import Noise, seeded
from genaug.config import parse
from genaug.data.split import TrainSplit
from genaug.errors import DataError, PluginError, UsageError
from genaug.executors import plugin_code
from genaug.fitting.record import need_record, remove_record, write_record
from genaug.fitting.sampler import ModelSampler, PerClass
from genaug.fitting.sizes import generator_spec, resized
from genaug.generator import AnyGenerator, Batch, Sampler, VariantGenerator
from genaug.hookspecs import GeneratorDescription
from genaug.images import to_float
from genaug.registry import Registry, make_generator
from genaug.spec import ImageSpec
from genaug.storage import make_folder, write_bytes
from genaug.training import Trained, built, restore, stored_tensors


@torch.no_grad()
def take_memory(generator: AnyGenerator, split: TrainSplit, *, seed: int, device: str) -> None:
    """Call `remember` of a trained generator with these training images and store the result as its memory."""
    split = resized(split, generator.spec)
    labels, rows = (torch.from_numpy(array).to(device) for array in (split.labels, split.rows))
    noise = Noise.per_batch(seed, "memory", 0, len(split), device)
    known = Batch(to_float(split.images).to(device), labels, rows, step=0, progress=0.0, noise=noise)
    generator.memory = generator.remember(known)


def save_model(
    path: Path, generator: AnyGenerator, trained: Trained, facts: dict[str, Any], spec: ImageSpec | None = None
) -> None:
    """Write the model to `path` (.safetensors), then its record to a .json beside it, which marks it as complete.

    spec: of the images that it is to draw, where the generator's own has its native size.
    """
    tensors = {f"memory/{name}": tensor for name, tensor in generator.memory.items()}
    for name, network in generator.networks.items():
        tensors |= {f"network/{name}/{key}": value for key, value in stored_tensors(generator, name, network).items()}
    history = {"steps": trained.steps, "batch_size": trained.batch_size, "losses": trained.history}
    make_folder(path.parent)
    remove_record(path)  # an interrupt between the two files leaves an incomplete model, not a false one
    write_bytes(path, save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}))
    write_record(path, facts | history, spec or generator.spec)


def read_weights(path: Path) -> dict[str, dict[str, Tensor]]:
    """The weights in a model's file: {network name: state_dict}."""
    tensors = _below(load_file(path), "network/")
    names = {name.partition("/")[0] for name in tensors}
    return {name: _below(tensors, f"{name}/") for name in sorted(names)}


def load_sampler(paths: Sequence[Path], spec: ImageSpec, registry: Registry, device: str = "cpu") -> Sampler:
    """The models of one generator as one sampler; raises DataError for a model that is missing or damaged."""
    records = [need_record(path) for path in paths]
    models = [
        load_model(path, registry.generators.get(record.generator), device)
        for path, record in zip(paths, records, strict=True)
    ]
    if len(models) == 1 and records[0].label is None:
        return models[0]
    labels = [record.label or 0 for record in records]
    return PerClass(spec, dict(zip(labels, models, strict=True)))


def load_model(path: Path, description: GeneratorDescription, device: str = "cpu") -> ModelSampler:
    """Load one model, as a sampler of the classes that it was trained on; raises DataError if it is damaged."""
    return ModelSampler(load_generator(path, description), device, need_record(path).spec)


def variant_generator(generator: AnyGenerator) -> VariantGenerator[Any]:
    """The generator of a description with `from_originals`; raises PluginError if it is no VariantGenerator."""
    if not isinstance(generator, VariantGenerator):
        raise PluginError(
            f"{type(generator).__name__} must be a VariantGenerator, because its description says from_originals; add "
            "the method from_original, or leave from_originals out"
        )
    return generator


def load_generator(path: Path, description: GeneratorDescription) -> AnyGenerator:
    """The generator of a model, with its weights and its memory, on the CPU; raises DataError if it is damaged."""
    record = need_record(path)
    try:
        config = parse(description.config, record.model, f"the model settings in {path.with_suffix('.json')}")
    except UsageError as error:
        raise DataError(str(error)) from error
    generator = make_generator(description, generator_spec(description, record.spec), config)
    _load_tensors(generator, path)
    return generator


def _load_tensors(generator: AnyGenerator, path: Path) -> None:
    try:
        tensors = load_file(path)
        with seeded(0, "load"), plugin_code(type(generator).__name__):
            generator.networks = built(generator)
        for name, network in generator.networks.items():
            restore(generator, name, network, _below(tensors, f"network/{name}/"))
    except (SafetensorError, RuntimeError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(
            f"the model {path} is damaged or was written by another version of its plugin: {reason}"
        ) from error
    generator.memory = _below(tensors, "memory/")


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
