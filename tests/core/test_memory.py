"""Freed memory stays with a training, and goes back to the system after it."""

import platform
import resource
from pathlib import Path

import pytest
import torch
from genaug.training import computing

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told what to keep")
PAGES = 64 * 2**20 // resource.getpagesize()


def test_a_step_does_not_ask_the_system_for_the_memory_that_the_step_before_has_freed() -> None:
    with computing(1):
        for _ in range(3):
            torch.ones(2**24)
        before = page_faults()
        for _ in range(8):
            torch.ones(2**24)
        assert page_faults() - before < PAGES  # eight times as many without


def test_memory_goes_back_to_the_system_after_the_training() -> None:
    before = resident_pages()
    with computing(1):
        list(map(torch.ones, [2**20] * 64))
        assert resident_pages() - before > 3 * PAGES
    assert resident_pages() - before < PAGES


def page_faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def resident_pages() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1])
