"""Where a transcription factor would bind, as genome browser tracks."""

__version__ = "0.1.0"
