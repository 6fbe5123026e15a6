"""Train the models of a generator on a TrainSplit, store them, and draw images from them."""

from genaug.fitting.code import code_hash
from genaug.fitting.draw import CHUNK, DrawnImages, DrawTask, chunks_of, draw, draw_chunk, image_noise
from genaug.fitting.fit import FitRecord, FitSettings, FitTask, fit, fit_tasks
from genaug.fitting.model import (
    load_generator,
    load_model,
    load_sampler,
    save_model,
    take_memory,
    variant_generator,
)
from genaug.fitting.record import ModelRecord, need_record, read_record
from genaug.fitting.sampler import ModelSampler, PerClass
from genaug.fitting.sizes import generator_spec, resized

__all__ = [
    "CHUNK",
    "DrawTask",
    "DrawnImages",
    "FitRecord",
    "FitSettings",
    "FitTask",
    "ModelRecord",
    "ModelSampler",
    "PerClass",
    "chunks_of",
    "code_hash",
    "draw",
    "draw_chunk",
    "fit",
    "fit_tasks",
    "generator_spec",
    "image_noise",
    "load_generator",
    "load_model",
    "load_sampler",
    "need_record",
    "read_record",
    "resized",
    "save_model",
    "take_memory",
    "variant_generator",
]
