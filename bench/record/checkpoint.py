"""A model folder that the reference trains on a made-up task, its tensors, and its files in older formats."""

import pickle
import shutil
from pathlib import Path

import numpy as np
import torch

import preprocess
from common import Topic, image

TASK = "Task042_Phantom"
FOLD, EPOCHS = 3, 3
MODEL = Path("nnUNet/2d") / TASK / "nnUNetTrainerV2__nnUNetPlansv2.1"


def prepare(rng):
    """Plans and preprocesses the task, then makes the network small."""
    task = {
        "modalities": ["PD", "T2"],
        "labels": {"0": "background", "1": "shell", "2": "core", "3": "rod"},
        "cases": {f"ph{i}-x": (7, 17 + i % 3, 22 - i % 2) for i in range(5)},
        "spacing": (2.0, 1.1, 1.0),
        "border": 0,
        "turn": 0.1,
        "test": [],
    }
    preprocess.raw_task(TASK, task, rng)
    Path(preprocess.PREPROCESSED).mkdir()
    (Path(preprocess.BASE) / "nnUNet_cropped_data").mkdir()
    preprocess.plan_and_preprocess([TASK])
    folder = Path(preprocess.PREPROCESSED) / TASK
    path = folder / "nnUNetPlansv2.1_plans_2D.pkl"
    plans = pickle.loads(path.read_bytes())
    plans["base_num_features"] = 3
    plans["plans_per_stage"][0]["batch_size"] = np.int64(3)
    path.write_bytes(pickle.dumps(plans))
    return folder, path


def train(folder, plans):
    from nnunet.training.network_training.nnUNetTrainerV2 import nnUNetTrainerV2

    output = Path("nnunet_results") / MODEL
    trainer = nnUNetTrainerV2(str(plans), FOLD, str(output), str(folder), False, 0, True, True, False)
    trainer.max_num_epochs, trainer.num_batches_per_epoch, trainer.num_val_batches_per_epoch = EPOCHS, 2, 1
    trainer.initialize(True)
    trainer.run_training()
    return trainer, output


def tensors(checkpoint):
    found = {f"state_dict/{key}": value.numpy() for key, value in checkpoint["state_dict"].items()}
    for index, entry in checkpoint["optimizer_state_dict"]["state"].items():
        if entry.get("momentum_buffer") is not None:
            found[f"momentum/{index}"] = entry["momentum_buffer"].numpy()
    return found


def record(out, rng):
    topic = Topic(out, "checkpoint")
    torch.manual_seed(int(rng.integers(1 << 30)))
    folder, plans = prepare(rng)
    trainer, output = train(folder, plans)
    # Neither picture nor log, and of the two checkpoints the final one alone.
    skipped = shutil.ignore_patterns("progress.png", "training_log_*", "model_best.*")
    shutil.copytree(output, topic.folder / "model" / MODEL, ignore=skipped)
    final = output / f"fold_{FOLD}" / "model_final_checkpoint.model"
    checkpoint = torch.load(final, map_location="cpu", weights_only=False)
    np.savez_compressed(topic.folder / "checkpoint_tensors.npz", **tensors(checkpoint))
    compat = topic.folder / "compat"
    compat.mkdir()
    torch.save(checkpoint, compat / "model_legacy_nonzip.model", _use_new_zipfile_serialization=False)
    content = pickle.loads((output / "plans.pkl").read_bytes())
    for protocol in (2, 4):
        (compat / f"plans_protocol{protocol}.pkl").write_bytes(pickle.dumps(content, protocol))
    network = trainer.network
    network.load_state_dict(checkpoint["state_dict"])
    network.eval()
    network.do_ds = True
    patch = [int(n) for n in trainer.patch_size]
    x = torch.from_numpy(image(rng, tuple(patch), trainer.num_input_channels)[None])
    with torch.no_grad():
        heads = {f"head_{i}": head.numpy() for i, head in enumerate(network(x))}
    np.savez_compressed(topic.folder / "forward.npz", input=x.numpy(), **heads)
    shutil.copyfile(folder / "dataset.json", topic.folder / "dataset.json")
    shutil.copyfile(folder / "splits_final.pkl", topic.folder / "splits_final.pkl")
    stage = folder / "nnUNetData_plans_v2.1_2D_stage0"
    shutil.copyfile(sorted(stage.glob("*.pkl"))[0], topic.folder / "example_case_properties.pkl")
