"""From a plugin and a TrainSplit to a sampler: one model over all classes, or one per class."""

from genaug.fitting.draw import CHUNK, DrawTask, chunk_images, chunks_of, draw, draw_chunk
from genaug.fitting.fit import FitRecord, FitTask, Settings, fit, fit_tasks
from genaug.fitting.model import load_model, load_sampler, read_record, save_model, take_memory
from genaug.fitting.sampler import ModelSampler, PerClass

__all__ = [
    "CHUNK",
    "DrawTask",
    "FitRecord",
    "FitTask",
    "ModelSampler",
    "PerClass",
    "Settings",
    "chunk_images",
    "chunks_of",
    "draw",
    "draw_chunk",
    "fit",
    "fit_tasks",
    "load_model",
    "load_sampler",
    "read_record",
    "save_model",
    "take_memory",
]
