//! Prediction with models of nnU-Net v2: the same sliding window over other networks, with logits in place of the softmax.

mod cascade;
mod case;
mod in_memory;
mod model;
mod predict;

pub(crate) use in_memory::LoadedDynamic;
pub(crate) use predict::predict;
