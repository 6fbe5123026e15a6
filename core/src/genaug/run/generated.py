"""What the generators of a job gave, by generator and class."""

from dataclasses import dataclass

from genaug.fitting import FitRecord
from genaug.mixing.candidate_table import CandidateTable
from genaug.probe import Probe
from genaug.run.job import Job


@dataclass(frozen=True)
class ClassResult:
    """What one generator gave for one class.

    label: the class. wanted: how many images were requested. drawn: candidates that were judged. accepted, rejected:
    those candidates. tops_up: whether these images bring the real side to the size of the largest class. fills_up:
    whether they replace images that other generators could not give.
    """

    generator: str
    label: int
    wanted: int
    drawn: int
    accepted: CandidateTable
    rejected: CandidateTable
    tops_up: bool = False
    fills_up: bool = False

    @property
    def missing(self) -> int:
        """How many images fewer than requested were accepted."""
        return self.wanted - len(self.accepted)


@dataclass(frozen=True)
class Generated:
    """The results of a job by generator and class, the models behind them, and {label: why the class failed}.

    refused: {label: why a class gets no generated images}; the fallback may fill it up.
    probe: what the label-safety probe found; None where it was not requested.
    """

    job: Job
    results: tuple[ClassResult, ...]
    records: tuple[FitRecord, ...]
    failures: dict[int, str]
    refused: dict[int, str]
    probe: Probe | None

    def shortfall(self) -> dict[int, int]:
        """{label: images missing from the plan}; failed classes and classes without a shortfall are left out."""
        missing = dict(enumerate(self.job.plan.values()))
        for result in self.results:
            missing[result.label] -= 0 if result.tops_up else len(result.accepted)
        return {label: count for label, count in missing.items() if count and label not in self.failures}

    def filled_up(self) -> dict[int, int]:
        """{label: images of the fallback generator}; only classes that have some."""
        return {result.label: len(result.accepted) for result in self.results if result.fills_up}
