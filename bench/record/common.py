"""What the recorders share: folders, indexes, made-up images and scripted random draws."""

import contextlib
import json
import os
import shutil
import sys
import unittest.mock
from pathlib import Path

import numpy as np


class Topic:
    """The folder of one topic, and its `cases.json`."""

    def __init__(self, out, name):
        self.folder = Path(out) / name
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.index = {}

    def arrays(self, name, arrays, function=None, parameters=None, note=None):
        """Writes an npz file and its entry of the index."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, **arrays)
        if "/" not in name:
            self.index[name] = {"function": function, "parameters": parameters, "note": note}

    def json(self, name, value):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(plain(value), separators=(",", ":")) + "\n")

    def finish(self):
        """Writes the index; topics without one leave it out."""
        if self.index:
            self.json("cases.json", self.index)


def plain(value):
    """A value as JSON has it: numpy's types become Python's, keys strings, NaN the text "NaN"."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and value != value:
        return "NaN"
    if isinstance(value, Path):
        return str(value)
    return value


def image(rng, shape, channels=1, step=1 / 64):
    """A smooth float32 image of about unit variance (c, [z,] y, x), quantised so that it compresses."""
    from scipy.ndimage import gaussian_filter

    parts = []
    for _ in range(channels):
        part = gaussian_filter(rng.standard_normal(shape), 1.0)
        part = part / part.std() + 0.2 * rng.standard_normal(shape)
        parts.append(np.round(part / step) * step)
    return np.stack(parts).astype(np.float32)


def labels(rng, shape, classes, unlabelled=0.0):
    """A label map ([z,] y, x) of blobs of `classes` labels with the background; a share of voxels becomes -1."""
    from scipy.ndimage import gaussian_filter

    scores = np.stack([gaussian_filter(rng.standard_normal(shape), 1.5) for _ in range(classes)])
    found = scores.argmax(0).astype(np.float32)
    if unlabelled > 0:
        found[rng.random(shape) < unlabelled] = -1
    return found


@contextlib.contextmanager
def scripted(uniforms=(), choices=None):
    """Within it, `np.random.uniform()` returns 0, `uniform(a, b)` the next listed number, `choice` what `choices` says."""
    waiting = list(uniforms)

    def uniform(low=None, high=None, size=None):
        if low is None or not waiting:
            return 0.0 if low is None else low
        return waiting.pop(0)

    patches = [
        unittest.mock.patch("numpy.random.uniform", uniform),
        # "Half of the time the lower half of the range": 0.9 takes the upper half, 0.1 the lower.
        unittest.mock.patch("numpy.random.random", lambda *_: 0.9),
    ]
    if choices is not None:
        patches.append(unittest.mock.patch("numpy.random.choice", choices))
    with contextlib.ExitStack() as stack:
        for patch in patches:
            stack.enter_context(patch)
        yield
    assert not waiting, f"not drawn: {waiting}"


@contextlib.contextmanager
def quiet():
    """The reference prints a lot."""
    with open(os.devnull, "w") as sink, contextlib.redirect_stdout(sink):
        yield


@contextlib.contextmanager
def inside(folder):
    """Makes a folder the current one, so that the paths the reference records are relative."""
    before = os.getcwd()
    Path(folder).mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    try:
        yield Path(folder)
    finally:
        os.chdir(before)


def write_nifti(path, array, spacing=(1.0, 1.0, 1.0), origin=(0.0, 0.0, 0.0), turn=0.0):
    """Writes (z, y, x) with spacing (z, y, x) in mm, turned about z by `turn` radians."""
    import SimpleITK as sitk

    Path(path).parent.mkdir(parents=True, exist_ok=True)
    made = sitk.GetImageFromArray(array)
    made.SetSpacing([float(s) for s in spacing[::-1]])
    made.SetOrigin([float(o) for o in origin])
    c, s = float(np.cos(turn)), float(np.sin(turn))
    made.SetDirection([c, -s, 0.0, s, c, 0.0, 0.0, 0.0, 1.0])
    sitk.WriteImage(made, str(path))


def network(in_channels, classes, base, pools, kernels):
    """`Generic_UNet` as nnUNetTrainerV2 builds it."""
    from torch import nn

    from nnunet.network_architecture.generic_UNet import Generic_UNet
    from nnunet.network_architecture.initialization import InitWeights_He

    flat = len(pools[0]) == 2
    return Generic_UNet(
        in_channels,
        base,
        classes,
        len(pools),
        2,
        2,
        nn.Conv2d if flat else nn.Conv3d,
        nn.InstanceNorm2d if flat else nn.InstanceNorm3d,
        {"eps": 1e-5, "affine": True},
        nn.Dropout2d if flat else nn.Dropout3d,
        {"p": 0, "inplace": True},
        nn.LeakyReLU,
        {"negative_slope": 1e-2, "inplace": True},
        True,
        False,
        lambda x: x,
        InitWeights_He(1e-2),
        [list(p) for p in pools],
        [list(k) for k in kernels],
        False,
        True,
        True,
    )


def stir(model, generator):
    """Moves norms and biases away from 1 and 0, so that mistakes with them show, and rounds so that files compress."""
    import torch

    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_((parameter * 1024).round() / 1024)
            if name.endswith("instnorm.weight"):
                parameter.copy_((700 + 600 * torch.rand(parameter.shape, generator=generator)).round() / 1024)
            elif name.endswith("bias"):
                parameter.copy_((400 * torch.rand(parameter.shape, generator=generator) - 200).round() / 1024)


def state(model):
    return {key: value.detach().numpy().copy() for key, value in model.state_dict().items()}


def use_reference(folder, work):
    """Puts the reference on the path, with nnU-Net's folders below `work`; before anything of it is imported."""
    sys.path.insert(0, str(folder))
    os.environ["nnUNet_raw_data_base"] = "nnunet_base"
    os.environ["nnUNet_preprocessed"] = "nnunet_preprocessed"
    os.environ["RESULTS_FOLDER"] = "nnunet_results"
    os.environ["nnUNet_n_proc_DA"] = "1"
    os.environ.pop("DIAG_NNUNET_ALT_RESAMPLING", None)
    with inside(work), quiet():
        import nnunet.paths  # noqa: F401
    import torch

    torch.set_num_threads(1)
