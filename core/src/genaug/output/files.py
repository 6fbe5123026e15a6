"""The names of the files and folders of an output, each written here and nowhere else.

Unfinished work inside genaug's own folder has names of its own, beside the code that keeps it.
"""

from pathlib import PurePosixPath

PROVENANCE = "provenance.jsonl"  # one line for each image
RUN = "run.json"  # what decided the bytes; written last, so its presence means that the output is whole
TIMINGS = "timings.json"  # times, host, workers: what may differ between equal outputs
CLASSES = "classes.json"  # class names in label order, and counts
REJECTIONS = "rejections.jsonl"  # one line for each candidate that is not used
CARD = "README.md"  # the dataset card
CROISSANT = "croissant.json"  # the description that MLCommons' readers understand
REPORT = "report.html"  # the page
EVALUATION = "evaluation.json"  # metrics, as the page shows them
TOP_LEVEL = (PROVENANCE, RUN, TIMINGS, CLASSES, REJECTIONS, CARD, CROISSANT, REPORT, EVALUATION)  # of a run
STUDY = "study.json"  # the result of a study
TRAINING = "training.yaml"  # how to train as a study recommends
CLASSIFIER = "model.safetensors"  # the weights of a trained classifier
CLASSIFIER_FACTS = "model.json"  # what it needs to be used; written last, so its presence means that all is there
SHEETS = "contact-sheets"  # pictures of each class
MODELS = "models"  # trained models, one folder for each generator
SHARDS = "data"  # tar or Parquet shards
OWN = ".genaug"  # genaug's own folder: the lock, unfinished work, drawn images
REQUEST = "request.json"  # inside it: what the output was made for
JUDGES = "judges"  # inside it: the classifiers that judge images


def is_inside(name: str) -> bool:
    """Whether a name from a record, relative to OUT, can only be that of a file in OUT."""
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\0" not in name
