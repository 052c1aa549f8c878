"""Plans for made-up fingerprints, with the memory estimates on the way, and the rules they come from."""

import copy
import pickle
import unittest.mock
from collections import OrderedDict
from pathlib import Path

import numpy as np

from common import Topic, inside, plain

BULKY = (
    "dataset_properties",
    "list_of_npz_files",
    "original_spacings",
    "original_sizes",
    "preprocessed_data_folder",
)


def fingerprints(rng):
    """Name -> modalities, classes, sizes and spacings (z, y, x) of the cases, mean share kept by cropping."""

    def cases(count, size, spacing, jitter=0.1):
        sizes = [
            tuple(int(max(1, round(n * (1 + jitter * rng.uniform(-1, 1))))) for n in size)
            for _ in range(count)
        ]
        return sizes, [np.array(spacing) * (1 + 0.0 * rng.uniform()) for _ in range(count)]

    def mixed(count, size, spacings):
        sizes, _ = cases(count, size, (1, 1, 1))
        return sizes, [np.array(spacings[i % len(spacings)], float) for i in range(count)]

    return {
        "knee_3mod": (["T1", "PD", "T2"], [1, 2, 3, 4, 5], *cases(31, (60, 230, 250), (1.8, 0.7, 0.7)), 0.97),
        "ct_body_two_stages": (["CT"], [1, 2], *cases(40, (480, 512, 512), (0.9, 0.85, 0.85)), 0.88),
        "cardiac_slices": (
            ["MRI"],
            [1, 2, 3],
            *mixed(25, (11, 220, 250), [(8, 1.4, 1.4), (10, 1.3, 1.3), (6, 1.5, 1.5)]),
            1.0,
        ),
        "coarse_middle_axis": (["US"], [1], *cases(12, (140, 40, 150), (0.6, 2.4, 0.6)), 0.9),
        "coarse_last_axis": (["T2", "noNorm"], [1, 7], *cases(9, (180, 190, 28), (0.9, 0.9, 4.5)), 0.6),
        "masked_brains": (["FLAIR", "T1"], [1, 2], *cases(18, (150, 190, 160), (1, 1, 1)), 0.42),
        "very_few_cases": (["CT", "PET"], [1], *cases(2, (90, 130, 140), (2.5, 1.6, 1.6)), 0.99),
        "lower_case_ct": (["ct"], [1], *cases(7, (70, 96, 90), (2.0, 1.1, 1.1)), 0.5),
        "thin": (["MRI"], [1, 2], *cases(15, (3, 60, 52), (5.0, 0.9, 0.9), 0.0), 1.0),
        "small_cubes": (["MRI"], [1], *cases(20, (22, 30, 26), (1.0, 1.2, 1.1)), 1.0),
    }


class Watch:
    """Keeps every call of get_properties_for_stage and, inside each, every estimate of memory."""

    def __init__(self, planner):
        from nnunet.network_architecture.generic_UNet import Generic_UNet

        self.calls, self.trace = [], []
        estimate, stage = Generic_UNet.compute_approx_vram_consumption, planner.get_properties_for_stage

        def watched_estimate(patch_size, num_pool_per_axis, base, *rest, **more):
            here = estimate(patch_size, num_pool_per_axis, base, *rest, **more)
            step = {
                "patch_size": patch_size,
                "num_pool_per_axis": num_pool_per_axis,
                "base_num_features": base,
                "here": here,
            }
            self.trace.append(plain(copy.deepcopy(step)))
            return here

        names = (
            "current_spacing",
            "original_spacing",
            "original_shape",
            "num_cases",
            "num_modalities",
            "num_classes",
        )

        def watched_stage(*args, **named):
            self.trace = []
            given = plain(copy.deepcopy({**dict(zip(names, args)), **named}))
            returned = stage(*args, **named)
            self.calls.append(
                {
                    "call_index": len(self.calls),
                    "args": given,
                    "returned": plain(returned),
                    "vram_trace": self.trace,
                }
            )
            return returned

        planner.get_properties_for_stage = watched_stage
        self.patch = unittest.mock.patch.object(
            Generic_UNet, "compute_approx_vram_consumption", staticmethod(watched_estimate)
        )


def plan(planner_class, folder, reference_memory):
    planner = planner_class(str(folder / "cropped"), str(folder / "preprocessed"))
    watch = Watch(planner)
    with watch.patch:
        planner.plan_experiment()
    plans = {key: value for key, value in planner.plans.items() if key not in BULKY}
    calls = watch.calls
    return {
        "plans_file_name": Path(planner.plans_fname).name,
        "target_spacing": planner.get_target_spacing(),
        "plans": plans,
        "get_properties_for_stage_calls_total": len(calls),
        "get_properties_for_stage_calls_first_and_last": calls[:1] + calls[1:][-1:],
        "ref_vram": reference_memory,
    }


def fingerprint(topic, name, modalities, classes, sizes, spacings, kept, rng):
    from nnunet.experiment_planning.experiment_planner_baseline_2DUNet_v21 import ExperimentPlanner2D_v21
    from nnunet.experiment_planning.experiment_planner_baseline_3DUNet_v21 import ExperimentPlanner3D_v21
    from nnunet.network_architecture.generic_UNet import Generic_UNet

    cases = [f"case_{i:03d}" for i in range(len(sizes))]
    properties = OrderedDict(
        all_sizes=sizes,
        all_spacings=spacings,
        all_classes=classes,
        modalities=dict(enumerate(modalities)),
        intensityproperties=None,
        size_reductions=OrderedDict(
            (c, float(min(1, kept * (1 + 0.02 * rng.uniform(-1, 1))))) for c in cases
        ),
    )
    with inside(name) as folder:
        folder = Path.cwd()
        for part in ("cropped", "preprocessed"):
            (folder / part).mkdir()
        for case in cases:
            (folder / "cropped" / f"{case}.npz").touch()
            (folder / "cropped" / f"{case}.pkl").write_bytes(pickle.dumps(OrderedDict()))
        (folder / "cropped" / "dataset_properties.pkl").write_bytes(pickle.dumps(properties))
        found = {"name": name, "num_cases": len(cases), "fingerprint": properties}
        memory = {
            "3d": Generic_UNet.use_this_for_batch_size_computation_3D
            * 32
            / Generic_UNet.BASE_NUM_FEATURES_3D,
            "2d": Generic_UNet.use_this_for_batch_size_computation_2D
            * Generic_UNet.DEFAULT_BATCH_SIZE_2D
            / 2,
        }
        for kind, planner in (("3d", ExperimentPlanner3D_v21), ("2d", ExperimentPlanner2D_v21)):
            try:
                found[kind] = plan(planner, folder, memory[kind])
            except Exception as error:  # The reference raises where an axis is too short.
                found[kind] = {"error": f"{type(error).__name__}: {error}"}
    topic.json(f"{name}.json", found)


def rules(topic, rng):
    from nnunet.experiment_planning.common_utils import (
        get_pool_and_conv_props,
        get_pool_and_conv_props_poolLateV2,
    )
    from nnunet.network_architecture.generic_UNet import Generic_UNet

    names = (
        "num_pool_per_axis",
        "pool_op_kernel_sizes",
        "conv_kernel_sizes",
        "patch_size",
        "must_be_divisible_by",
    )
    poolings, memory = [], []
    for i in range(24):
        axes = 2 if i % 4 == 3 else 3
        spacing = np.round(rng.uniform(0.4, 1.6, axes) * (1 + 4 * (rng.random(axes) < 0.3)), 3)
        patch = rng.integers(9, 300, axes)
        least, most = int(rng.integers(3, 6)), int(rng.choice([4, 5, 999]))
        call = {"spacing": spacing, "patch_size": patch, "min_feature_map_size": least, "max_numpool": most}
        made = get_pool_and_conv_props(spacing.copy(), patch.copy(), least, most)
        entry = plain(copy.deepcopy({**call, "get_pool_and_conv_props": dict(zip(names, made))}))
        try:
            late = plain(
                dict(
                    zip(names, get_pool_and_conv_props_poolLateV2(patch.copy(), least, most, spacing.copy()))
                )
            )
        except Exception as error:
            late = {"error": f"{type(error).__name__}: {error}"}
        poolings.append({**entry, "get_pool_and_conv_props_poolLateV2": late})
        args = {
            "patch_size": made[3],
            "num_pool_per_axis": made[0],
            "base_num_features": int(rng.integers(8, 40)),
            "max_num_features": int(rng.choice([128, 320, 480])),
            "num_modalities": int(rng.integers(1, 5)),
            "num_classes": int(rng.integers(2, 9)),
            "pool_op_kernel_sizes": made[1],
            "deep_supervision": bool(i % 3 == 0),
            "conv_per_stage": int(rng.integers(1, 4)),
        }
        args = plain(copy.deepcopy(args))
        memory.append({**args, "result": Generic_UNet.compute_approx_vram_consumption(**args)})
    topic.json("pool_and_conv_props.json", poolings)
    topic.json("vram_function.json", memory)


def record(out, rng):
    topic = Topic(out, "planner")
    for name, facts in fingerprints(rng).items():
        fingerprint(topic, name, *facts, rng)
    rules(topic, rng)
