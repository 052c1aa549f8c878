//! Gradients that are summed over the ranks of a training.

use std::rc::Rc;

use tch::{Kind, Tensor};

use super::{GenericUNet, Heads, Weights};
use crate::shim::group::{GradientSum, Group};
use crate::Result;

/// Sums the gradients of a network over the ranks, in buckets that travel while the backward pass computes the others.
pub struct RankGradients {
    sum: GradientSum,
    /// Parameters that the loss depends on.
    used: Vec<bool>,
}

impl RankGradients {
    /// For a network whose loss takes this many of its finest outputs. Every rank calls it at the same time.
    ///
    /// Two passes over a small input find the parameters that the loss depends on, and the order in which their gradients
    /// arrive. Both are the same in every rank and every run.
    ///
    /// # Errors
    /// [`crate::Error::Collective`]; any error of libtorch.
    pub fn new(network: &GenericUNet, weights: &Weights, outputs: usize, group: &Rc<Group>) -> Result<Self> {
        let architecture = network.architecture();
        let mut shape = vec![1, architecture.input_channels];
        // Two voxels along each axis of the bottleneck: normalisation needs more than one voxel.
        let axes = 0..architecture.dimensions();
        shape.extend(axes.map(|axis| architecture.pools.iter().map(|pool| pool[axis]).product::<i64>() * 2));
        let input = Tensor::f_ones(shape.as_slice(), (Kind::Float, network.device()))?;
        let root = || -> Result<Tensor> {
            let outputs = network.forward(&input, weights, Heads::Finest(outputs))?;
            let sums = outputs.iter().map(|one| one.f_sum(Kind::Float));
            let sums = sums.collect::<std::result::Result<Vec<_>, _>>()?;
            Ok(Tensor::f_stack(&sums, 0)?.f_sum(Kind::Float)?)
        };
        let used: Vec<bool> = network
            .own_gradients(&root()?, weights)?
            .iter()
            .map(Tensor::defined)
            .collect();
        let leaves = weights.tensors.iter().zip(&used);
        let leaves: Vec<_> = leaves.filter(|(_, &used)| used).map(|(leaf, _)| leaf).collect();
        let sum = GradientSum::new(group, &leaves)?;
        sum.backward(&root()?)?;
        sum.settle()?;
        Ok(Self { sum, used })
    }

    /// The summed gradients of the weights, undefined for those that `root` does not depend on.
    pub(super) fn of(&self, root: &Tensor) -> Result<Vec<Tensor>> {
        let mut found = self.sum.backward(root)?.into_iter();
        let mut next = |&used: &bool| if used { found.next() } else { None }.unwrap_or_else(Tensor::new);
        Ok(self.used.iter().map(&mut next).collect())
    }
}

#[cfg(test)]
mod tests;
