"""The bundled models, and the paths of weights that a user names."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from tfimpute_tracks.errors import UnknownNameError

__all__ = ["pretrained_models", "weights_path"]


def pretrained_models() -> dict[str, Path]:
    """List the bundled models.

    Returns
    -------
    dict of name to path of the weights
    """
    folder = Path(str(resources.files("tfimpute_tracks") / "models" / "weights"))
    found = sorted(folder.glob("*.safetensors"))
    return {path.stem: path for path in found if "." not in path.stem}


def weights_path(model: str | Path) -> Path:
    """Find the weights of a model.

    Parameters
    ----------
    model : str or Path
        The name of a bundled model, or a `.safetensors` file.

    Returns
    -------
    Path
        A `.safetensors` file need not exist.

    Raises
    ------
    UnknownNameError
        Neither a bundled model nor a file.
    """
    bundled = pretrained_models()
    path = bundled.get(str(model), Path(model))
    if not path.exists() and path.suffix != ".safetensors":
        raise UnknownNameError(
            f"unknown model {str(model)!r}; bundled are {', '.join(bundled)}, or use the "
            "path of a .safetensors file"
        )
    return path
