//! Comparison of plans.

use crate::Plans;

impl Plans {
    /// Names of the entries that differ and that change the network of a stage, or its input. A prediction with the
    /// plans of another model than the weights is wrong if there are any.
    pub fn differences(&self, other: &Self, stage: usize) -> Vec<&'static str> {
        let mut names = Vec::new();
        macro_rules! compare {
            ($($name:literal: $of:expr;)*) => {$(
                let of: fn(&Plans) -> _ = $of;
                if of(self) != of(other) {
                    names.push($name);
                }
            )*};
        }
        compare! {
            "num_modalities": |plans| plans.num_modalities;
            "num_classes": |plans| plans.num_classes;
            "base_num_features": |plans| plans.base_num_features;
            "conv_per_stage": |plans| plans.conv_per_stage;
            "transpose_forward": |plans| plans.transpose_forward;
            "normalization_schemes": |plans| plans.normalization_schemes.clone();
            "use_mask_for_norm": |plans| plans.use_mask_for_norm.clone();
            "preprocessor_name": |plans| plans.preprocessor_name.clone();
            // As text, in which NaN equals NaN.
            "intensityproperties": |plans| {
                plans.dataset_properties.get("intensityproperties").map(|found| format!("{found:?}"))
            };
        }
        let stages = [self, other].map(|plans| plans.plans_per_stage.get(&stage));
        let [Some(one), Some(two)] = stages else {
            if stages != [None, None] {
                names.push("plans_per_stage");
            }
            return names;
        };
        let pairs = [
            ("patch_size", one.patch_size == two.patch_size),
            ("current_spacing", one.current_spacing == two.current_spacing),
            (
                "pool_op_kernel_sizes",
                one.pool_op_kernel_sizes == two.pool_op_kernel_sizes,
            ),
            (
                "conv_kernel_sizes",
                one.conv_kernel_sizes == two.conv_kernel_sizes,
            ),
        ];
        names.extend(pairs.iter().filter(|(_, same)| !same).map(|(name, _)| *name));
        names
    }
}
