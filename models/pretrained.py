"""Which weights come with the package, and where those stand that a user names."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from tfimpute_tracks.errors import UnknownNameError

__all__ = ["shipped_models", "weights_path"]


def shipped_models() -> dict[str, Path]:
    """Give the models that come with the package.

    Returns
    -------
    dict of name to path of the weights
    """
    folder = Path(str(resources.files("tfimpute_tracks") / "models" / "weights"))
    found = sorted(folder.glob("*.safetensors"))
    return {path.stem: path for path in found if "." not in path.stem}


def weights_path(model: str | Path) -> Path:
    """Find the weights that a user means.

    Parameters
    ----------
    model : str or Path
        The name of a shipped model, or a `.safetensors` file.

    Returns
    -------
    Path
        Of a file with that ending it is not asked here whether it exists.

    Raises
    ------
    UnknownNameError
        Neither a shipped name nor a file.
    """
    shipped = shipped_models()
    path = shipped.get(str(model), Path(model))
    if not path.exists() and path.suffix != ".safetensors":
        raise UnknownNameError(
            f"unknown model {str(model)!r}; shipped are {', '.join(shipped)}, "
            "or give the path of a .safetensors file"
        )
    return path
