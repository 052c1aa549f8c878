"""The transforms that trainers chain, with all their attributes."""

import contextlib
import copy
import unittest.mock

import numpy as np

from common import plain

SETUPS = {
    "3d_cube": ([96, 96, 96], [[2, 2, 2]] * 4, False),
    "3d_long": ([48, 192, 80], [[1, 2, 2], [2, 2, 2], [2, 2, 2], [2, 2, 1]], False),
    "3d_slices": ([12, 288, 224], [[1, 2, 2], [1, 2, 2], [2, 2, 2], [1, 2, 2]], True),
    "2d_square": ([384, 384], [[2, 2]] * 6, False),
    "2d_strip": ([128, 320], [[1, 2], [2, 2], [2, 2], [2, 2]], False),
}


def attributes(transform):
    name = type(transform)
    return {"class": name.__name__, "module": name.__module__, **vars(transform)}


def chain(trainer, patch, pools, dummy):
    """The transforms that a trainer makes, training and validation, with its parameters of augmentation."""
    from nnunet.training.data_augmentation import data_augmentation_moreDA, default_data_augmentation
    from nnunet.training.data_augmentation.diag import (
        data_augmentation_moreDA_sparse,
        data_augmentation_moreDA_weightmaps,
    )
    from nnunet.training.network_training import nnUNetTrainerV2

    run = object.__new__(trainer)
    run.print_to_log_file = lambda *_, **__: None
    run.net_num_pool_op_kernel_sizes, run.patch_size = pools, np.array(patch)
    run.threeD, run.do_dummy_2D_aug, run.use_mask_for_norm = len(patch) == 3, dummy, {0: False}
    kept = []
    augmenter = lambda loader, transform, *_, **__: kept.append(transform)
    with contextlib.ExitStack() as stack:
        # A trainer changes the module's dictionaries: each gets fresh ones.
        for name in ("default_3D_augmentation_params", "default_2D_augmentation_params"):
            fresh = copy.deepcopy(getattr(default_data_augmentation, name))
            stack.enter_context(unittest.mock.patch.object(nnUNetTrainerV2, name, fresh))
        modules = (
            data_augmentation_moreDA,
            data_augmentation_moreDA_sparse,
            data_augmentation_moreDA_weightmaps,
        )
        for module in modules:
            stack.enter_context(unittest.mock.patch.object(module, "MultiThreadedAugmenter", augmenter))
        run.setup_DA_params()
        given = (None, None, run.data_aug_params["patch_size_for_spatialtransform"], run.data_aug_params)
        more = {"deep_supervision_scales": run.deep_supervision_scales, "pin_memory": False}
        if "Weighted" in trainer.__name__:
            modules[2].get_moreDA_augmentation_weightmaps(*given, **more)
        elif "Sparse" in trainer.__name__:
            more["only_sample_from_annotated"] = "NormalSampling" not in trainer.__name__
            modules[1].get_moreDA_augmentation_sparse(*given, **more)
        else:
            modules[0].get_moreDA_augmentation(*given, **more)
    transforms = {
        kind: [attributes(t) for t in made.transforms] for kind, made in zip(("train", "val"), kept)
    }
    return run, plain(copy.deepcopy(transforms))


def chains(topic):
    from nnunet.training.network_training.diag.nnUNetTrainerV2Sparse import (
        nnUNetTrainerV2Sparse,
        nnUNetTrainerV2SparseNormalSampling,
    )
    from nnunet.training.network_training.diag.nnUNetTrainerV2Weighted import nnUNetTrainerV2Weighted
    from nnunet.training.network_training.nnUNetTrainerV2 import nnUNetTrainerV2

    found = {}
    for name, (patch, pools, dummy) in SETUPS.items():
        entry = {"setup": {"patch": patch, "pools": pools, "dummy": dummy}}
        trainers = [nnUNetTrainerV2, nnUNetTrainerV2Sparse, nnUNetTrainerV2SparseNormalSampling]
        for trainer in trainers + ([nnUNetTrainerV2Weighted] if len(patch) == 3 else []):
            run, made = chain(trainer, patch, pools, dummy)
            entry["basic_generator_patch_size"] = run.basic_generator_patch_size
            entry["deep_supervision_scales"] = run.deep_supervision_scales
            entry[trainer.__name__] = made
        found[name] = plain(copy.deepcopy(entry))
    topic.json("chains.json", found)
