//! The arguments of a network's class.

use std::path::Path;

use serde_json::{Map, Value as Json};

use super::{Activation, ArchitectureError, Keys, Norm, Result, Stage, Statistics, MOST_STAGES};

/// Features and convolutions at most, against plans that are not of nnU-Net.
const MOST: i64 = 1 << 16;
/// Sizes of kernels and strides at most.
const MOST_SIZE: i64 = 64;

/// Entries of an object of the plans.
#[derive(Clone, Copy)]
pub(super) struct Arguments<'a> {
    pub path: &'a Path,
    /// Where the object is in the file.
    pub place: &'a str,
    pub map: &'a Map<String, Json>,
}

impl<'a> Arguments<'a> {
    pub fn wrong(&self, key: &str, found: &Json, known: &str) -> ArchitectureError {
        let mut text = match found {
            Json::Null => "missing".to_owned(),
            other => other.to_string(),
        };
        if text.len() > 200 {
            text.truncate(
                (0..=200)
                    .rev()
                    .find(|&end| text.is_char_boundary(end))
                    .unwrap_or(0),
            );
            text.push('…');
        }
        ArchitectureError {
            path: self.path.to_owned(),
            what: format!("{}.{key}", self.place).into(),
            found: text.into(),
            known: known.into(),
        }
    }

    pub fn unknown_class(&self, key: &str, class: &str) -> ArchitectureError {
        let known = "PlainConvUNet or ResidualEncoderUNet of dynamic_network_architectures; predict with nnunetv2, or train \
                     one of these";
        self.wrong(key, &Json::from(class), known)
    }

    fn get(&self, key: &str) -> &'a Json {
        self.map.get(key).unwrap_or(&Json::Null)
    }

    pub fn given(&self, key: &str) -> bool {
        !self.get(key).is_null()
    }

    /// Refuses arguments that this package does not know, unless they are null.
    pub fn only(&self, known: &[&str]) -> Result<()> {
        match self
            .map
            .iter()
            .find(|(key, value)| !value.is_null() && !known.contains(&key.as_str()))
        {
            Some((key, value)) => {
                Err(self.wrong(key, value, &format!("one of the arguments {}", known.join(", "))))
            }
            None => Ok(()),
        }
    }

    pub fn text(&self, key: &str) -> Result<String> {
        let found = self.get(key);
        found
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| self.wrong(key, found, "a class name"))
    }

    pub fn flag(&self, key: &str) -> Result<bool> {
        match self.get(key) {
            Json::Null => Ok(false),
            Json::Bool(flag) => Ok(*flag),
            other => Err(self.wrong(key, other, "true or false")),
        }
    }

    pub fn positive(&self, key: &str) -> Result<i64> {
        let found = self.get(key);
        whole(found, MOST).ok_or_else(|| self.wrong(key, found, &format!("a whole number from 1 to {MOST}")))
    }

    /// One whole number for each stage, from a list or from one number.
    pub fn per_stage(&self, key: &str, count: usize) -> Result<Vec<i64>> {
        let found = self.get(key);
        let values = match found {
            Json::Array(values) => values.iter().map(|value| whole(value, MOST)).collect(),
            other => whole(other, MOST).map(|value| vec![value; count]),
        };
        let values: Option<Vec<i64>> = values;
        values.filter(|values| values.len() == count).ok_or_else(|| {
            let known = format!("{count} whole numbers from 1 to {MOST}, one for each stage");
            self.wrong(key, found, &known)
        })
    }

    pub fn counts(&self, key: &str, count: usize) -> Result<Vec<usize>> {
        Ok(self
            .per_stage(key, count)?
            .into_iter()
            .map(|n| n as usize)
            .collect())
    }

    /// Length of a list with one entry for each stage.
    pub fn per_stage_length(&self, key: &str) -> Result<usize> {
        let found = self.get(key);
        let length = found
            .as_array()
            .map(Vec::len)
            .filter(|n| (2..=MOST_STAGES).contains(n));
        length.ok_or_else(|| self.wrong(key, found, &format!("a list of 2 to {MOST_STAGES} numbers")))
    }

    /// Sizes of each stage along each axis, from a list of lists, a list of numbers or one number.
    fn sizes(&self, key: &str, count: usize, axes: usize) -> Result<Vec<Vec<i64>>> {
        let found = self.get(key);
        let of_stage = |value: &Json| match value {
            Json::Array(sizes) => sizes
                .iter()
                .map(|size| whole(size, MOST_SIZE))
                .collect::<Option<Vec<_>>>(),
            other => whole(other, MOST_SIZE).map(|size| vec![size; axes]),
        };
        let all = match found {
            Json::Array(stages) => stages.iter().map(of_stage).collect::<Option<Vec<_>>>(),
            other => of_stage(other).map(|size| vec![size; count]),
        };
        let fits = |all: &Vec<Vec<i64>>| all.len() == count && all.iter().all(|sizes| sizes.len() == axes);
        all.filter(fits).ok_or_else(|| {
            let known = format!(
                "{count} lists of {axes} whole numbers from 1 to {MOST_SIZE}, one list for each stage"
            );
            self.wrong(key, found, &known)
        })
    }

    pub fn stages(&self, keys: &Keys<'_>, features: &[i64], axes: usize) -> Result<Vec<Stage>> {
        let count = features.len();
        let kernels = self.sizes(keys.kernels, count, axes)?;
        if kernels.iter().flatten().any(|size| size % 2 == 0) {
            return Err(self.wrong(
                keys.kernels,
                self.get(keys.kernels),
                "odd sizes; even ones change the size of the image",
            ));
        }
        let strides = self.sizes(keys.strides, count, axes)?;
        if strides[0].iter().any(|&stride| stride != 1) {
            let known = "strides of 1 in the first stage, so that the prediction has the size of the image";
            return Err(self.wrong(keys.strides, self.get(keys.strides), known));
        }
        let blocks = self.counts(keys.blocks, count)?;
        let each = features.iter().zip(kernels).zip(strides).zip(blocks);
        Ok(each
            .map(|(((&features, kernel), stride), blocks)| Stage {
                features,
                kernel,
                stride,
                blocks,
            })
            .collect())
    }

    /// The class that an argument names, without its module, if it is one of `known`.
    pub fn class<'k>(&self, key: &str, known: &[&'k str]) -> Result<&'k str> {
        let full = self.text(key)?;
        let class = full.rsplit('.').next().unwrap_or_default();
        let found = known.iter().find(|known| **known == class);
        found
            .copied()
            .ok_or_else(|| self.wrong(key, &Json::from(full.as_str()), &known.join(", ")))
    }

    pub fn optional_class<'k>(&self, key: &str, known: &[&'k str]) -> Result<Option<&'k str>> {
        self.given(key).then(|| self.class(key, known)).transpose()
    }

    /// Arguments of another object in an entry; empty if it is null.
    fn nested<T>(&self, key: &str, read: impl FnOnce(Arguments<'_>) -> Result<T>) -> Result<T> {
        let empty = Map::new();
        let map = match self.get(key) {
            Json::Null => &empty,
            Json::Object(map) => map,
            other => return Err(self.wrong(key, other, "an object")),
        };
        let place = format!("{}.{key}", self.place);
        read(Arguments {
            path: self.path,
            place: &place,
            map,
        })
    }

    fn number(&self, key: &str, default: f64) -> Result<f64> {
        match self.get(key) {
            Json::Null => Ok(default),
            found => {
                let number = found.as_f64().filter(|number| number.is_finite());
                number.ok_or_else(|| self.wrong(key, found, "a number"))
            }
        }
    }

    fn flag_or(&self, key: &str, default: bool) -> Result<bool> {
        if self.given(key) {
            self.flag(key)
        } else {
            Ok(default)
        }
    }

    pub fn norm(&self, axes: usize) -> Result<Option<Norm>> {
        let (instance, batch) = (format!("InstanceNorm{axes}d"), format!("BatchNorm{axes}d"));
        let Some(class) = self.optional_class("norm_op", &[&instance, &batch])? else {
            return Ok(None);
        };
        // torch's defaults differ between the two.
        let is_batch = class == batch;
        self.nested("norm_op_kwargs", |kwargs| {
            kwargs.only(&["eps", "momentum", "affine", "track_running_stats"])?;
            let running = kwargs.flag_or("track_running_stats", is_batch)?;
            if is_batch && !running {
                let found = kwargs.get("track_running_stats");
                let known =
                    "true for BatchNorm; without it, a prediction depends on the other images of its batch";
                return Err(kwargs.wrong("track_running_stats", found, known));
            }
            let eps = kwargs.number("eps", 1e-5)?;
            if eps < 0.0 {
                return Err(kwargs.wrong("eps", kwargs.get("eps"), "a number of at least 0"));
            }
            Ok(Some(Norm {
                statistics: if running {
                    Statistics::Running
                } else {
                    Statistics::Instance
                },
                eps,
                affine: kwargs.flag_or("affine", is_batch)?,
            }))
        })
    }

    pub fn activation(&self) -> Result<Activation> {
        let known = ["LeakyReLU", "ReLU", "ELU", "GELU", "SiLU", "Mish", "Identity"];
        let Some(class) = self.optional_class("nonlin", &known)? else {
            return Ok(Activation::Identity);
        };
        self.nested("nonlin_kwargs", |kwargs| {
            let allowed: &[&str] = match class {
                "LeakyReLU" => &["inplace", "negative_slope"],
                "ELU" => &["inplace", "alpha"],
                "GELU" => &["approximate"],
                _ => &["inplace"],
            };
            kwargs.only(allowed)?;
            Ok(match class {
                "LeakyReLU" => Activation::LeakyRelu {
                    slope: kwargs.number("negative_slope", 0.01)?,
                },
                "ReLU" => Activation::LeakyRelu { slope: 0.0 },
                "ELU" => Activation::Elu {
                    alpha: kwargs.number("alpha", 1.0)?,
                },
                "GELU" => match kwargs.get("approximate") {
                    Json::Null => Activation::Gelu { tanh: false },
                    Json::String(text) if text == "none" => Activation::Gelu { tanh: false },
                    Json::String(text) if text == "tanh" => Activation::Gelu { tanh: true },
                    other => return Err(kwargs.wrong("approximate", other, "none or tanh")),
                },
                "SiLU" => Activation::Silu,
                "Mish" => Activation::Mish,
                _ => Activation::Identity,
            })
        })
    }
}

fn whole(value: &Json, most: i64) -> Option<i64> {
    value.as_i64().filter(|number| (1..=most).contains(number))
}
