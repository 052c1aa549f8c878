//! The plan of one stage.

use pickle::{Dict, Error, NdArray, Value};

use crate::pickled::{each, f64x3, i64x3, int_array, ints, size, sizes};

/// Patch size, batch size and network of one stage. Axes are in the network's (transposed) order. 2D plans
/// have two axes.
#[derive(Clone, Debug, PartialEq)]
pub struct StagePlan {
    /// Number of samples per batch.
    pub batch_size: usize,
    /// Number of poolings along each axis.
    pub num_pool_per_axis: Vec<usize>,
    /// Patch size in voxels.
    pub patch_size: Vec<usize>,
    /// Median size in voxels of the cases at this spacing, three axes.
    pub median_patient_size_in_voxels: [i64; 3],
    /// Spacing of this stage in mm.
    pub current_spacing: [f64; 3],
    /// Target spacing of full resolution in mm.
    pub original_spacing: [f64; 3],
    /// Whether augmentation transforms each slice separately, because the patch is anisotropic.
    pub do_dummy_2d_data_aug: bool,
    /// Pooling factors, from the first to the last pooling.
    pub pool_op_kernel_sizes: Vec<Vec<usize>>,
    /// Convolution kernel sizes, one more than poolings.
    pub conv_kernel_sizes: Vec<Vec<usize>>,
    /// All other entries, in order.
    pub extra: Dict,
}

impl StagePlan {
    /// Reads one entry of `plans_per_stage`.
    ///
    /// # Errors
    /// [`Error::MissingKey`] or [`Error::Type`] naming the key.
    pub fn from_value(value: &Value) -> Result<Self, Error> {
        let mut rest = value
            .expect_as("plans_per_stage", "a dictionary for each stage", Value::as_dict)?
            .clone();
        let mut take = |key: &str| {
            rest.remove(key)
                .ok_or_else(|| Error::MissingKey { key: key.to_owned() })
        };
        macro_rules! field {
            ($key:literal, $expected:literal, $read:expr) => {
                take($key)?.expect_as($key, $expected, $read)?
            };
        }
        Ok(Self {
            batch_size: field!("batch_size", "a whole number", size),
            num_pool_per_axis: field!("num_pool_per_axis", "a list of integers", sizes),
            patch_size: field!("patch_size", "a list of integers", sizes),
            median_patient_size_in_voxels: field!("median_patient_size_in_voxels", "three integers", i64x3),
            current_spacing: field!("current_spacing", "three numbers", f64x3),
            original_spacing: field!("original_spacing", "three numbers", f64x3),
            do_dummy_2d_data_aug: field!("do_dummy_2D_data_aug", "a boolean", Value::as_bool),
            pool_op_kernel_sizes: field!("pool_op_kernel_sizes", "lists of integers", |v| each(v, sizes)),
            conv_kernel_sizes: field!("conv_kernel_sizes", "lists of integers", |v| each(v, sizes)),
            extra: rest,
        })
    }

    /// Returns the pickled form, in nnU-Net v1's order and Python types, which differ between its 2D and 3D
    /// planners.
    pub fn to_value(&self) -> Value {
        let flat = self.patch_size.len() == 2;
        let kernels = |all: &[Vec<usize>]| Value::list(all.iter().map(|k| ints(k)));
        let mut out = Dict::new()
            .with(
                "batch_size",
                if flat {
                    Value::numpy_i64(self.batch_size as i64)
                } else {
                    self.batch_size.into()
                },
            )
            .with("num_pool_per_axis", ints(&self.num_pool_per_axis))
            .with("patch_size", int_array(&self.patch_size))
            .with(
                "median_patient_size_in_voxels",
                NdArray::from_i64(&self.median_patient_size_in_voxels),
            )
            .with("current_spacing", NdArray::from_f64(&self.current_spacing))
            .with("original_spacing", NdArray::from_f64(&self.original_spacing));
        if !flat {
            out.set(
                "do_dummy_2D_data_aug",
                Value::numpy_bool(self.do_dummy_2d_data_aug),
            );
        }
        out.set("pool_op_kernel_sizes", kernels(&self.pool_op_kernel_sizes));
        out.set("conv_kernel_sizes", kernels(&self.conv_kernel_sizes));
        if flat {
            out.set("do_dummy_2D_data_aug", self.do_dummy_2d_data_aug);
        }
        self.extra
            .iter()
            .for_each(|(key, value)| out.set(key.clone(), value.clone()));
        out.into()
    }
}
