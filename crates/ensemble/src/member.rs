//! The files of one model for one case.

use std::path::{Path, PathBuf};

use dataset::CaseProperties;
use ndarray::{Array4, Ix4};
use pickle::Value;
use resample::export::Placement;
use run::NotFound;
use volume::{npz, Geometry};

use crate::Error;

/// `<case>.npz` and `<case>.pkl` in the folder of a model.
pub(crate) struct Member {
    pub npz: PathBuf,
    pub pkl: PathBuf,
}

impl Member {
    /// The files of a case.
    ///
    /// # Errors
    /// [`Error::NotFound`] if one is missing.
    pub fn find(folder: &Path, case: &str) -> Result<Self, Error> {
        let [npz, pkl] = ["npz", "pkl"].map(|extension| folder.join(format!("{case}.{extension}")));
        let advice = "every model needs the softmax of every case; predict the case with --save-softmax";
        NotFound::unless_exists("softmax", &npz, advice)?;
        NotFound::unless_exists("properties of a softmax", &pkl, advice)?;
        Ok(Self { npz, pkl })
    }

    /// The softmax (class, z, y, x), and whether the file has it in half precision.
    pub fn softmax(&self) -> Result<(Array4<f32>, bool), Error> {
        self.values("softmax")
    }

    /// The array `name` (class, z, y, x) of the file, and whether it is in half precision.
    pub fn values(&self, name: &str) -> Result<(Array4<f32>, bool), Error> {
        let (softmax, half) = npz::read_half_or_single(&self.npz, name)?;
        let shape = format!("the shape {:?}", softmax.shape());
        let softmax = softmax
            .into_dimensionality::<Ix4>()
            .map_err(|_| Error::Mismatch {
                first: self.pkl.clone(),
                path: self.npz.clone(),
                what: "the array has",
                found: shape,
                expected: "a case of (class, z, y, x)".to_owned(),
            })?;
        let voxels = softmax.iter().filter(|value| !value.is_finite()).count();
        if voxels > 0 {
            return Err(Error::NotFinite {
                path: self.npz.clone(),
                voxels,
            });
        }
        Ok((softmax, half))
    }

    /// The properties of the case. nnU-Net v1's ensembles store a list with those of each model.
    pub fn properties(&self) -> Result<CaseProperties, Error> {
        Ok(CaseProperties::read_first(&self.pkl)?)
    }
}

/// What decides where a softmax lies in its image.
#[derive(Debug, PartialEq)]
pub(crate) struct Place {
    pub placement: Placement,
    pub geometry: Geometry,
    /// The class of each channel of a network of regions.
    pub regions: Option<Vec<i16>>,
}

impl Place {
    pub fn of(properties: &CaseProperties) -> Result<Self, Error> {
        let size = properties.size_after_cropping()?;
        let spacing = properties.original_spacing()?;
        let [x, y, z] = properties.itk_spacing()?;
        let regions = properties.dict().get("regions_class_order");
        let regions = regions.and_then(Value::to_i64s);
        let class = |class: i64| i16::try_from(class).ok();
        Ok(Self {
            placement: Placement {
                original_size: properties.original_size_of_raw_data()?,
                size_after_cropping: size,
                crop_bbox: Some(properties.crop_bbox()?),
                original_spacing: spacing,
                // The softmax is on the grid of the image already.
                spacing_after_resampling: spacing,
                transpose_forward: [0, 1, 2],
            },
            geometry: Geometry {
                spacing: [z, y, x],
                origin: properties.itk_origin()?,
                direction: properties.itk_direction()?,
            },
            regions: regions.map(|all| all.into_iter().filter_map(class).collect()),
        })
    }

    /// The first difference to another place: its name, and both values.
    pub fn difference(&self, other: &Self) -> Option<(&'static str, String, String)> {
        let (one, two) = (&self.placement, &other.placement);
        if one.original_size != two.original_size {
            let values = [one, two].map(|place| format!("{:?}", place.original_size));
            let [expected, found] = values;
            return Some(("the image has the size", found, expected));
        }
        if one.crop_bbox != two.crop_bbox || one.size_after_cropping != two.size_after_cropping {
            let [expected, found] = [one, two].map(|place| format!("{:?}", place.crop_bbox));
            return Some(("the image was cropped to", found, expected));
        }
        // Both come from the header of the same image.
        if !self.geometry.relative_deviation(&other.geometry).within(1e-3) {
            let [expected, found] = [self, other].map(|place| format!("{:?}", place.geometry));
            return Some(("the image has the geometry", found, expected));
        }
        if self.regions != other.regions {
            let [expected, found] = [self, other].map(|place| format!("{:?}", place.regions));
            return Some(("the regions_class_order is", found, expected));
        }
        None
    }
}
