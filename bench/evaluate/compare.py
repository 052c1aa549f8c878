"""Compares surface distances, lesions and connected components with surface-distance and cc3d; see README.md."""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings
from importlib.metadata import version
from pathlib import Path

import nibabel
import numpy as np
import scipy.ndimage

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "examples/data"

# surface-distance 0.1 uses names that numpy 2 and scipy 1.15 removed.
np.Inf, np.NaN = np.inf, np.nan
scipy.ndimage.filters = scipy.ndimage.morphology = scipy.ndimage
warnings.filterwarnings("ignore", category=DeprecationWarning)
import cc3d  # noqa: E402
import surface_distance.metrics as surfaces  # noqa: E402


class Ours:
    def __init__(self, program, threads, folder):
        self.program, self.threads, self.folder = program, threads, Path(folder)

    def __call__(self, kind, reference, prediction=None, spacing=(1, 1, 1), tolerance=1.0, full=True, repeats=1):
        job = {"kind": kind, "shape": reference.shape, "spacing": [float(s) for s in spacing]}
        job |= {"tolerance": tolerance, "full": full, "repeats": repeats}
        for name, mask in [("reference", reference), ("prediction", prediction)]:
            path = self.folder / f"{name}.raw"
            job[name] = None if mask is None else str(path)
            if mask is not None:
                np.ascontiguousarray(mask).astype(np.uint8).tofile(path)
        file = self.folder / "job.json"
        file.write_text(json.dumps(job))
        found = json.loads(subprocess.check_output([self.program, str(self.threads), str(file)]))
        return found["result"], np.array([found["wall"], found["cpu"]])


def timed(function, repeats=1):
    """The result, and the best wall and processor times."""
    best, result = np.full(2, np.inf), None
    for _ in range(repeats):
        start = np.array([time.perf_counter(), time.process_time()])
        result = function()
        best = np.minimum(best, np.array([time.perf_counter(), time.process_time()]) - start)
    return result, best


def peer_surfaces(reference, prediction, spacing, tolerance):
    found = surfaces.compute_surface_distances(reference, prediction, spacing)
    areas = [found["surfel_areas_gt"], found["surfel_areas_pred"]]
    means = surfaces.compute_average_surface_distance(found)
    assd = sum(m * a.sum() for m, a in zip(means, areas)) / sum(a.sum() for a in areas)
    return (
        surfaces.compute_robust_hausdorff(found, 95),
        assd,
        surfaces.compute_surface_dice_at_tolerance(found, tolerance),
    )


def peer_lesions(reference, prediction, connectivity):
    counts = []
    for mask, other in [(reference, prediction), (prediction, reference)]:
        labels, n = cc3d.connected_components(mask.astype(np.uint8), connectivity=connectivity, return_N=True)
        counts += [int(n), len(np.setdiff1d(np.unique(labels[other]), [0]))]
    return counts


def blobs(random, shape, share, smoothness):
    noise = scipy.ndimage.gaussian_filter(random.standard_normal(shape), smoothness)
    return noise > np.quantile(noise, 1 - share)


def pairs(random, count):
    """Random and real masks with spacings and tolerances, many of which are equal to distances."""
    for index in range(count):
        shape = tuple(random.integers(1, 40, 3))
        spacing = tuple(random.choice([0.3, 0.7, 0.8, 1.0, 1.25, 2.5, 3.0], 3))
        if random.random() < 0.3:
            spacing = (spacing[0],) * 3
        tolerance = float(spacing[random.integers(3)] * random.integers(0, 4))
        smoothness, share = random.choice([0, 0.7, 1.5, 3]), random.uniform(0.02, 0.6)
        one, two = (blobs(random, shape, share, smoothness) for _ in range(2))
        if one.any() and two.any():
            yield f"random {index}", one, two, spacing, tolerance
    files = sorted(DATA.glob("Task501*/labels*/*.nii.gz"))
    for file, other in zip(files, files[1:]):
        image = nibabel.load(file)
        labels = np.asarray(image.dataobj).T
        spacing = tuple(float(s) for s in image.header.get_zooms()[::-1])
        second = np.asarray(nibabel.load(other).dataobj).T
        for label in sorted(set(np.unique(labels)) - {-1, 0}):
            one = labels == label
            two = np.roll(one, (1, 2), (0, 1)) | (np.roll(one, 3, 2) & (labels == 2))
            yield f"{file.name} {label} moved", one, two, spacing, 2 * spacing[1]
            if second.shape == labels.shape:
                yield f"{file.name} {label} {other.name}", one, second == label, spacing, 1.0


def agreement(ours, count):
    worst, exact, total = np.zeros(3), 0, 0
    for name, one, two, spacing, tolerance in pairs(np.random.default_rng(0), count):
        total += 1
        found, _ = ours("surfaces", one, two, spacing, tolerance)
        expected = peer_surfaces(one, two, spacing, tolerance)
        difference = np.abs(np.array(found) - expected) / np.maximum(1, expected)
        if difference.max() > 1e-5:
            print(f"{name} {one.shape} {spacing} {tolerance}: found {found}, expected {expected}")
        worst = np.maximum(worst, difference)
        for connectivity in (6, 26):
            found, _ = ours("lesions", one, two, full=connectivity == 26)
            if found != peer_lesions(one, two, connectivity):
                print(f"{name} lesions {connectivity}: {found}, expected {peer_lesions(one, two, connectivity)}")
            exact += found == peer_lesions(one, two, connectivity)
    print(f"{total} pairs of masks; largest differences: HD95 {worst[0]:.1e}, ASSD {worst[1]:.1e}, NSD {worst[2]:.1e}")
    print(f"lesions equal in {exact} of {2 * total} (6 and 26 neighbours)")
    return worst.max() < 1e-5 and exact == 2 * total


def speed(ours, size, repeats):
    random = np.random.default_rng(1)
    coarse = scipy.ndimage.gaussian_filter(random.standard_normal((size // 4,) * 3), 2)
    masks = {
        "smooth objects": np.kron(coarse > 0.1, np.ones((4, 4, 4), bool)),
        "noise, 10 %": random.random((size,) * 3, np.float32) < 0.1,
        "noise, 50 %": random.random((size,) * 3, np.float32) < 0.5,
    }
    peer = f"cc3d {version('connected-components-3d')}"
    print(f"| connected components, {size}³ | neighbours | components | {peer}, wall / CPU s | here, wall / CPU s | ratio |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, mask in masks.items():
        for connectivity in (6, 26):
            theirs, here = np.full(2, np.inf), np.full(2, np.inf)
            for _ in range(repeats):
                found, once = ours("components", mask, full=connectivity == 26, repeats=2)
                here = np.minimum(here, once)
                run = lambda: cc3d.connected_components(mask.view(np.uint8), connectivity=connectivity, return_N=True)
                (_, count), once = timed(run, 2)
                theirs = np.minimum(theirs, once)
            assert count == found["components"], (name, connectivity, count, found)
            shown = [f"{wall:.2f} / {cpu:.2f}" for wall, cpu in (theirs, here, theirs / here)]
            print(f"| {name} | {connectivity} | {count} | {' | '.join(shown)} |", flush=True)
    side = min(size, 256)
    one = masks["smooth objects"][:side, :side, :side]
    two = np.roll(one, 2, 0)
    expected, theirs = timed(lambda: peer_surfaces(one, two, (1.0, 0.8, 0.8), 1.6))
    found, here = ours("surfaces", one, two, (1.0, 0.8, 0.8), 1.6)
    times = [f"{wall:.2f} / {cpu:.2f} s" for wall, cpu in (theirs, here)]
    print(f"surface distances, {side}³, wall / CPU: surface-distance {times[0]}, here {times[1]}")
    print(f"  found {found}, expected {[float(e) for e in expected]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    default = ROOT / "target/release/examples/bench-evaluate"
    parser.add_argument("--program", type=Path, default=default)
    parser.add_argument("--pairs", type=int, default=300, help="pairs of random masks")
    parser.add_argument("--size", type=int, default=512, help="side of the volume to time; 0 skips it")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(options.program, options.threads, folder)
        equal = agreement(ours, options.pairs)
        if options.size:
            speed(ours, options.size, options.repeats)
    sys.exit(not equal)


if __name__ == "__main__":
    main()
