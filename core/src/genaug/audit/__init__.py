"""Whether an output is still what a run wrote, and whether an image can be drawn again bit for bit."""

from genaug.audit.replaying import Replay, replay
from genaug.audit.survey import Finding
from genaug.audit.verification import Verification, verify

__all__ = ["Finding", "Replay", "Verification", "replay", "verify"]
