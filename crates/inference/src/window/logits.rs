//! Logits of a whole volume, averaged as nnU-Net v2 does.

use engine::network::{Network, Weights};
use half::f16;
use ndarray::{Array4, ArrayView4, Zip};
use run::Context;
use tch::Tensor;

use super::{each_class, Predictor, Tiling};
use crate::gaussian::importance_v2;
use crate::mirror::mirror_subsets;
use crate::sums::{Place, Sums};
use crate::Error;

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
    ) -> Result<Array4<f32>, Error> {
        let tiling = self.tiling(&image.shape()[1..]);
        let input = self.upload(&image, &tiling.padding)?;
        let (_, z, y, x) = image.dim();
        let importance = match self.options.gaussian {
            true => importance_v2(&self.patch).into_raw_vec_and_offset().0,
            false => vec![1.0; self.patch.iter().product()],
        };
        self.twice(case, context, done, |weights, done| {
            let mut all: Option<Array4<f16>> = None;
            for (network, weights) in self.networks.iter().zip(weights) {
                let mut sums = Sums::new(network.outputs(), [z, y, x], usize::MAX)?;
                let weighting = (&tiling, importance.as_slice());
                self.add_fold((network, weights), &input, weighting, &mut sums, context, done)?;
                let mean = match sums.into_mean()? {
                    Ok(mean) => mean,
                    Err(bad) => return Ok(Err(bad)),
                };
                match &mut all {
                    None => all = Some(mean),
                    Some(all) => Zip::from(all).and(&mean).par_for_each(|sum, &value| {
                        *sum = f16::from_f32(sum.to_f32() + value.to_f32());
                    }),
                }
            }
            let all = all.ok_or_else(|| Error::Internal {
                problem: "a prediction without folds".to_owned(),
            })?;
            let count = self.networks.len() as f32;
            let mean = all.map(|sum| f16::from_f32(sum.to_f32() / count).to_f32());
            let bad = mean.iter().filter(|value| !value.is_finite()).count();
            Ok(if bad == 0 { Ok(mean) } else { Err(bad) })
        })
    }

    /// Adds every tile of an image for one network.
    fn add_fold(
        &self,
        (network, weights): (&N, &Weights),
        input: &Tensor,
        (tiling, importance): (&Tiling, &[f32]),
        sums: &mut Sums<f16>,
        context: &Context,
        done: &mut dyn FnMut(),
    ) -> Result<(), Error> {
        let pool = context.pool()?;
        // In v2's order, so that sums round alike.
        let mut subsets = mirror_subsets(&self.options.mirror_axes);
        subsets.sort_by_key(Vec::len);
        let corners = tiling.groups.iter().flat_map(|group| &group.corners);
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
                .map(|(corner, axes)| Ok(self.tile(input, corner)?.f_flip(axes.as_slice())?))
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
                    corner: std::array::from_fn(|axis| {
                        corner[axis] as isize - tiling.padding.before[axis] as isize
                    }),
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
