"""Planning and preprocessing here and with Python's nnU-Net v1, on the same task, one after the other.

python3.12 -m venv .peers/nnunet && .peers/nnunet/bin/pip install nnunet==1.7.1 numpy==1.26.4 batchgenerators==0.25
cargo build --release -p preprocess --example bench-preprocess
.peers/nnunet/bin/python bench/preprocess/compare.py TASK_FOLDER... [--ct CASES] [--rounds N] [--program PATH]

TASK_FOLDER is a raw task of nnU-Net v1. --ct makes a task of CT-sized volumes (512 x 512 x 300, anisotropic, of different
spacings, so that most are resampled). Both sides use as many workers as there are cores. Peak memory is the sum of the
proportional set sizes of a side's processes, sampled ten times a second, or the largest of its first process if that is more;
time includes the start of the program.
"""
import argparse
import json
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import time

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(HERE, "..", "..", "target", "release", "examples", "bench-preprocess")
CORES = len(os.sched_getaffinity(0))


def proportional_memory(session):
    """Bytes of all processes of a session. Shared pages are counted once."""
    total = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as f:
                if int(f.read().rsplit(")", 1)[1].split()[3]) != session:
                    continue
            with open(f"/proc/{pid}/smaps_rollup") as f:
                total += sum(int(line.split()[1]) for line in f if line.startswith("Pss:")) * 1024
        except (OSError, ProcessLookupError):
            pass
    return total


def measured(command, environment, log):
    start = time.time()
    with open(log, "w") as out:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=out, stderr=out, start_new_session=True)
        peak = 0
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            peak = max(peak, proportional_memory(process.pid))
            time.sleep(0.1)
    wall = time.time() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[0]} failed: {open(log).read()[-3000:]}")
    # The peak of a short program may be between two samples.
    peak = max(peak, usage.ru_maxrss * 1024)
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak": peak / 2**20}


def folders(work, side, task):
    base = os.path.join(work, side, "base")
    os.makedirs(os.path.join(base, "nnUNet_raw_data"))
    os.symlink(os.path.abspath(task), os.path.join(base, "nnUNet_raw_data", os.path.basename(task)))
    preprocessed = os.path.join(work, side, "preprocessed")
    os.makedirs(preprocessed)
    return {"nnUNet_raw_data_base": base, "nnUNet_preprocessed": preprocessed, "RESULTS_FOLDER": os.path.join(work, side)}


def run_peer(work, task, number):
    environment = folders(work, "peer", task)
    command = [sys.executable, "-m", "nnunet.experiment_planning.nnUNet_plan_and_preprocess", "-t", number,
               "-tl", str(CORES), "-tf", str(CORES)]
    return measured(command, environment, os.path.join(work, "peer.log"))


def run_ours(work, task, program):
    environment = folders(work, "ours", task)
    command = [program, json.dumps({"task": os.path.basename(task)}), str(CORES)]
    return measured(command, environment, os.path.join(work, "ours.log"))


def differences(work, name):
    """Compares the two outputs of one task with numpy and pickle."""
    sides = [os.path.join(work, side, "preprocessed", name) for side in ("peer", "ours")]
    worst, labels, voxels, arrays = 0.0, 0, 0, 0
    for folder, _, files in os.walk(sides[0]):
        for file in files:
            peer, ours = (os.path.join(folder.replace(sides[0], side), file) for side in sides)
            if file.endswith(".npz"):
                a, b = np.load(peer)["data"], np.load(ours)["data"]
                assert a.shape == b.shape and a.dtype == b.dtype, (ours, a.shape, b.shape)
                worst = max(worst, float(np.abs(a[:-1] - b[:-1]).max()))
                labels += int((a[-1] != b[-1]).sum())
                voxels += a[-1].size
                arrays += 1
            elif file.endswith(".pkl"):
                a, b = (pickle.load(open(f, "rb")) for f in (peer, ours))
                same(a, b, file)
            else:
                assert os.path.exists(ours), ours
    return {"arrays": arrays, "largest difference": worst, "labels that differ": labels, "of": voxels}


def same(a, b, where):
    """Compares content. Additional keys here are allowed, since nnU-Net ignores them; paths may differ."""
    if isinstance(a, dict):
        for key in a:
            if key not in ("list_of_npz_files", "preprocessed_data_folder", "list_of_data_files", "seg_file", "class_locations"):
                same(a[key], b[key], f"{where}.{key}")
    elif isinstance(a, (list, tuple, np.ndarray)) and not isinstance(a, str):
        assert type(a) is type(b) and len(a) == len(b), (where, a, b)
        for i, (x, y) in enumerate(zip(a, b)):
            same(x, y, f"{where}[{i}]")
    else:
        close = a == b or (isinstance(a, (float, np.floating)) and (np.isclose(a, b, 1e-6, 0) or a != a and b != b))
        # The planner's minimum of a Python and a numpy integer is either.
        kinds = isinstance(a, (int, np.integer)) and isinstance(b, (int, np.integer)) or type(a) is type(b)
        assert close and kinds, (where, a, b, type(a), type(b))


def loads(work, name):
    """Loads training batches from this package's output with Python's nnU-Net."""
    from nnunet.training.dataloading.dataset_loading import DataLoader2D, DataLoader3D, load_dataset, unpack_dataset

    folder = os.path.join(work, "ours", "preprocessed", name)
    shapes = {}
    for kind, loader in (("3D", DataLoader3D), ("2D", DataLoader2D)):
        plans = pickle.load(open(os.path.join(folder, f"nnUNetPlansv2.1_plans_{kind}.pkl"), "rb"))
        for stage, plan in plans["plans_per_stage"].items():
            data = os.path.join(folder, f"{plans['data_identifier']}_stage{stage}")
            unpack_dataset(data, CORES)
            patch = plan["patch_size"]
            batch = loader(load_dataset(data), patch, patch, 2, oversample_foreground_percent=0.33).generate_train_batch()
            assert np.isfinite(batch["data"]).all()
            shapes[f"{kind} stage {stage}"] = batch["data"].shape
    return shapes


def make_ct(folder, cases):
    """CT-like volumes of 512 x 512 x 300 voxels: smooth anatomy, noise, air around a body, two labelled organs."""
    import nibabel
    from scipy.ndimage import zoom

    for part in ("imagesTr", "labelsTr"):
        os.makedirs(os.path.join(folder, part))
    random = np.random.RandomState(0)
    spacings = [(0.8, 0.8, 4.0), (0.7, 0.7, 5.0), (0.9, 0.9, 4.0), (0.75, 0.75, 3.0)]
    z, y, x = np.ogrid[-1:1:300j, -1:1:512j, -1:1:512j]
    body = (x / 0.9) ** 2 + (y / 0.7) ** 2 + 0 * z < 1
    training = []
    for case in range(cases):
        coarse = random.normal(0, 1, (12, 20, 20))
        image = zoom(coarse, [n / m for n, m in zip((300, 512, 512), coarse.shape)], order=1).astype(np.float32) * 60
        image += random.normal(40, 20, image.shape).astype(np.float32)
        image = np.where(body, image, -1000 + random.normal(0, 5, image.shape).astype(np.float32))
        label = np.zeros(image.shape, np.uint8)
        label[(x + 0.3) ** 2 * 9 + y**2 * 12 + z**2 * 4 < 1] = 1
        label[(x - 0.3) ** 2 * 40 + (y - 0.1) ** 2 * 40 + z**2 * 16 < 1] = 2
        affine = np.diag([*spacings[case % len(spacings)], 1.0])
        for array, name in ((image.round().astype(np.int16), f"imagesTr/ct_{case}_0000"), (label, f"labelsTr/ct_{case}")):
            nibabel.save(nibabel.Nifti1Image(array.T, affine), os.path.join(folder, name + ".nii.gz"))
        training.append({"image": f"./imagesTr/ct_{case}.nii.gz", "label": f"./labelsTr/ct_{case}.nii.gz"})
    meta = {"name": "Ct", "modality": {"0": "CT"}, "labels": {"0": "background", "1": "large", "2": "small"}, "training": training,
            "test": [], "numTraining": cases, "numTest": 0}
    with open(os.path.join(folder, "dataset.json"), "w") as f:
        json.dump(meta, f)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*")
    parser.add_argument("--ct", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--program", default=PROGRAM)
    parser.add_argument("--work", help="folder for temporary data")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.work) as top:
        tasks = list(options.tasks)
        if options.ct:
            tasks.append(os.path.join(top, "Task990_Ct"))
            make_ct(tasks[-1], options.ct)
        for task in tasks:
            name = os.path.basename(os.path.normpath(task))
            best = {}
            for round_ in range(options.rounds):
                work = os.path.join(top, f"{name}_{round_}")
                os.makedirs(work)
                found = {"peer": run_peer(work, task, name[4:7]), "ours": run_ours(work, task, options.program)}
                for side, result in found.items():
                    if side not in best or result["wall"] < best[side]["wall"]:
                        best[side] = result
                if round_ + 1 < options.rounds:
                    shutil.rmtree(work)
            report = {**best, **{f"{key} ratio": best["peer"][key] / best["ours"][key] for key in ("wall", "cpu", "peak")}}
            print(json.dumps({"task": name, "cores": CORES, **report, **differences(work, name), "batches": loads(work, name)}), flush=True)
            shutil.rmtree(work)


if __name__ == "__main__":
    main()
