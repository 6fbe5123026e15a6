"""The networks of a trainable as `build` returns them, and which of their tensors are stored in files."""

from collections.abc import Mapping

from torch import Tensor, nn

from genaug.errors import PluginError
from genaug.generator import Trainable


def built(trainable: Trainable) -> dict[str, nn.Module]:
    """New networks by name; those that are frozen are in eval mode and have no gradients.

    Raises PluginError if the trainable names a network that is not there, or contradicts itself.
    """
    networks = trainable.build()
    for attribute in ("averaged", "frozen", "adapted"):
        if strangers := getattr(trainable, attribute) - networks.keys():
            raise PluginError(f"{attribute} names {_listed(strangers)}; build returned {', '.join(networks) or 'none'}")
    if both := trainable.frozen & (trainable.averaged | trainable.adapted):
        raise PluginError(
            f"frozen names {_listed(both)}, which averaged or adapted name too; a frozen network is fixed"
        )
    for name in trainable.frozen:
        networks[name].eval().requires_grad_(False)
    return networks


def stored_tensors(trainable: Trainable, name: str, network: nn.Module) -> dict[str, Tensor]:
    """The tensors of a network that a file must hold, on the CPU; of tensors that are tied, the first alone.

    None of a frozen network. Of an adapted one those with gradients, and its buffers.
    """
    state = network.state_dict(keep_vars=True)
    stored = {first for first in _first_names(state).values() if _is_stored(trainable, name, state[first])}
    return {key: _separate(tensor) for key, tensor in state.items() if key in stored}


def restore(trainable: Trainable, name: str, network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Put back what `stored_tensors` returned of a network of the same trainable.

    Raises RuntimeError for missing tensors, others, or other shapes.
    """
    state = network.state_dict(keep_vars=True)
    found = dict(tensors)
    for key, first in _first_names(state).items():
        if not _is_stored(trainable, name, state[first]):
            found[key] = state[key].detach()
        elif first in tensors:
            found[key] = tensors[first]
    network.load_state_dict(found)


def _is_stored(trainable: Trainable, name: str, tensor: Tensor) -> bool:
    fixed = isinstance(tensor, nn.Parameter) and not tensor.requires_grad
    return name not in trainable.frozen and not (name in trainable.adapted and fixed)


def _first_names(state: Mapping[str, Tensor]) -> dict[str, str]:
    """{name: the first name of a tensor in the same place in memory}."""
    first: dict[tuple[object, ...], str] = {}
    places = {key: (one.data_ptr(), one.dtype, one.shape, one.stride()) for key, one in state.items()}
    return {key: first.setdefault(place, key) for key, place in places.items()}


def _separate(tensor: Tensor) -> Tensor:
    """A tensor on the CPU that shares its memory with no other, as safetensors requires."""
    there = tensor.detach().cpu().contiguous()
    return there.clone() if there.untyped_storage().nbytes() > there.nbytes else there


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))
