//! Logits of a whole volume, averaged as nnU-Net v2 does.

use engine::network::{Network, Weights};
use half::f16;
use ndarray::{s, Array4, ArrayView4, Zip};
use run::Context;
use tch::Tensor;

use super::{each_class, Group, Planes, Predictor, Tiling};
use crate::gaussian::importance_v2;
use crate::mirror::mirror_subsets;
use crate::sums::{Place, Sums};
use crate::Error;

/// Maximum values of the planes that are given away at once.
const VALUES_OF_PLANES: usize = 1 << 23;

/// What the tiles of an image share.
struct Input<'a> {
    image: Tensor,
    tiling: &'a Tiling,
    /// Weights of the voxels of a tile.
    importance: Vec<f32>,
}

impl<N: Network> Predictor<N> {
    /// Returns the mean logits (output, z, y, x) of an image (channel, z, y, x) over tiles, mirrored copies and folds. `case`
    /// is named in warnings. `done` is called after every tile position of every fold. A 2D network processes the slices of
    /// axis z.
    ///
    /// Sums over tiles, and over folds, are rounded to half precision after every addition, as in nnU-Net v2: at the border
    /// of the image, where the weights are tiny, this changes the logits visibly.
    ///
    /// Source: `nnUNetPredictor.predict_logits_from_preprocessed_data`.
    ///
    /// # Errors
    /// As [`Predictor::softmax`].
    pub fn logits_of(
        &self,
        case: Option<&str>,
        image: ArrayView4<'_, f32>,
        context: &Context,
        done: &mut dyn FnMut(),
    ) -> Result<Array4<f16>, Error> {
        let tiling = self.tiling(&image.shape()[1..]);
        let input = self.input(&image, &tiling)?;
        let (_, z, y, x) = image.dim();
        self.twice(case, context, done, |weights, done| {
            let mut all: Option<Array4<f16>> = None;
            for (network, weights) in self.networks.iter().zip(weights) {
                let mut sums = Sums::new(network.outputs(), [z, y, x], usize::MAX)?;
                for group in &tiling.groups {
                    self.add_group((network, weights), &input, group, &mut sums, context, done)?;
                }
                let mean = match sums.into_mean()? {
                    Ok(mean) => mean,
                    Err(bad) => return Ok(Err(bad)),
                };
                match &mut all {
                    None => all = Some(mean),
                    Some(all) => Zip::from(all).and(&mean).par_for_each(add),
                }
            }
            let mut all = all.ok_or_else(|| Error::Internal {
                problem: "a prediction without folds".to_owned(),
            })?;
            let bad = divide(&mut all, self.networks.len());
            Ok(if bad == 0 { Ok(all) } else { Err(bad) })
        })
    }

    /// Gives the mean logits of a case to what `begin` returns, some planes at a time. The values equal those of
    /// [`Predictor::logits_of`] in every bit; memory holds only the planes under one row of tiles, for each fold.
    ///
    /// `begin` is called again if the case is predicted again in float32.
    ///
    /// # Errors
    /// As [`Predictor::softmax`], and those of the receiver.
    pub fn stream_logits<P: Planes>(
        &self,
        case: Option<&str>,
        image: ArrayView4<'_, f32>,
        context: &Context,
        done: &mut dyn FnMut(),
        begin: impl Fn() -> Result<P, Error>,
    ) -> Result<P, Error> {
        let tiling = self.tiling(&image.shape()[1..]);
        let input = self.input(&image, &tiling)?;
        let (_, z, y, x) = image.dim();
        let pool = context.pool()?;
        self.twice(case, context, done, |weights, done| {
            let mut planes = begin()?;
            let slab = |network: &N| Sums::new(network.outputs(), [z, y, x], tiling.depth);
            let mut folds = self.networks.iter().map(slab).collect::<Result<Vec<_>, _>>()?;
            for group in &tiling.groups {
                let networks = self.networks.iter().zip(weights);
                for (network, sums) in networks.zip(&mut folds) {
                    self.add_group(network, &input, group, sums, context, done)?;
                }
                let mut unfit = 0;
                let bad = pool.install(|| {
                    Sums::take_together(&mut folds, group.end, |means| match unfit {
                        0 => give(means, &mut planes).map(|bad| unfit = bad),
                        _ => Ok(()),
                    })
                })?;
                if bad + unfit > 0 {
                    return Ok(Err(bad + unfit));
                }
            }
            Ok(Ok(planes))
        })
    }

    fn input<'a>(&self, image: &ArrayView4<'_, f32>, tiling: &'a Tiling) -> Result<Input<'a>, Error> {
        Ok(Input {
            image: self.upload(image, &tiling.padding)?,
            tiling,
            importance: match self.options.gaussian {
                true => importance_v2(&self.patch).into_raw_vec_and_offset().0,
                false => vec![1.0; self.patch.iter().product()],
            },
        })
    }

    /// Adds the tiles of a group for one network.
    fn add_group(
        &self,
        (network, weights): (&N, &Weights),
        input: &Input<'_>,
        group: &Group,
        sums: &mut Sums<f16>,
        context: &Context,
        done: &mut dyn FnMut(),
    ) -> Result<(), Error> {
        let pool = context.pool()?;
        let (padding, importance) = (&input.tiling.padding, input.importance.as_slice());
        // In v2's order, so that sums round alike.
        let mut subsets = mirror_subsets(&self.options.mirror_axes);
        subsets.sort_by_key(Vec::len);
        let corners = group.corners.iter();
        let copies: Vec<_> = corners
            .flat_map(|corner| subsets.iter().map(move |axes| (corner, axes)))
            .collect();
        let mut values = Vec::new();
        // The sum of the copies of one tile.
        let mut tile: Option<(Tensor, usize)> = None;
        for batch in copies.chunks(self.at_once()) {
            context.check()?;
            let tiles = batch
                .iter()
                .map(|(corner, axes)| Ok(self.tile(&input.image, corner)?.f_flip(axes.as_slice())?))
                .collect::<Result<Vec<_>, Error>>()?;
            let logits = tch::no_grad(|| network.logits(&Tensor::f_cat(&tiles, 0)?, weights))?;
            for (index, (corner, axes)) in batch.iter().enumerate() {
                let copy = logits.f_narrow(0, index as i64, 1)?.f_flip(axes.as_slice())?;
                let (sum, count) = match tile.take() {
                    Some((mut sum, count)) => (sum.f_add_(&copy)?, count + 1),
                    None => (copy, 1),
                };
                if count < subsets.len() {
                    tile = Some((sum, count));
                    continue;
                }
                let mean = sum.f_div_scalar(count as f64)?;
                let place = Place {
                    corner: std::array::from_fn(|axis| corner[axis] as isize - padding.before[axis] as isize),
                    size: self.patch(),
                };
                sums.add_weight(importance, place);
                each_class(&mean, &mut values, |class, values| {
                    pool.install(|| sums.add(class, values, importance, place, [false; 3]));
                })?;
                done();
            }
        }
        Ok(())
    }
}

/// Gives the mean over folds, unless values of it are not finite. Returns their number.
fn give(folds: &[ArrayView4<'_, f16>], to: &mut impl Planes) -> Result<usize, Error> {
    let Some((first, others)) = folds.split_first() else {
        return Ok(0);
    };
    let (outputs, planes, y, x) = first.dim();
    let at_once = (VALUES_OF_PLANES / (outputs * y * x).max(1)).max(1);
    for start in (0..planes).step_by(at_once) {
        let part = s![.., start..(start + at_once).min(planes), .., ..];
        let mut mean = first.slice(part).to_owned();
        for other in others {
            Zip::from(&mut mean).and(other.slice(part)).par_for_each(add);
        }
        let bad = divide(&mut mean, folds.len());
        if bad > 0 {
            return Ok(bad);
        }
        to.push(mean.mapv(f16::to_f32).view())?;
    }
    Ok(0)
}

/// Divides a sum over folds. Returns the number of values that are not finite.
fn divide(sum: &mut Array4<f16>, folds: usize) -> usize {
    let count = folds as f32;
    if count > 1.0 {
        sum.par_mapv_inplace(|value| f16::from_f32(value.to_f32() / count));
    }
    sum.iter().filter(|value| !value.is_finite()).count()
}

/// Adds in half precision.
fn add(sum: &mut f16, &value: &f16) {
    *sum = f16::from_f32(sum.to_f32() + value.to_f32());
}
