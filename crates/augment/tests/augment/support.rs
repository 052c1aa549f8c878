//! Helpers of the fixture tests: conversion between recorded arrays and samples.

use augment::{Augmented, Block, Params, Pipeline, PipelineOptions, Sample, Strength, Workspace};
use ndarray::{ArrayD, Axis, IxDyn};
use serde_json::Value;

/// The recorded (c, [z,] y, x) array as a block.
pub fn block<T: Copy + Default>(array: &ArrayD<f64>, convert: impl Fn(f64) -> T) -> Block<T> {
    let mut shape = [1; 4];
    shape[0] = array.shape()[0];
    let spatial = &array.shape()[1..];
    shape[4 - spatial.len()..].copy_from_slice(spatial);
    let mut block = Block::new(shape);
    for (to, from) in block.values_mut().iter_mut().zip(array) {
        *to = convert(*from);
    }
    block
}

/// An image block.
pub fn image(array: &ArrayD<f64>) -> Block<f32> {
    block(array, |v| v as f32)
}

/// A segmentation block.
pub fn labels(array: &ArrayD<f64>) -> Block<i16> {
    block(array, |v| v as i16)
}

/// Values in the shape of a recorded array.
pub fn like<T: Copy + Into<f64>>(values: &[T], array: &ArrayD<f64>) -> ArrayD<f64> {
    ArrayD::from_shape_vec(IxDyn(array.shape()), values.iter().map(|&v| v.into()).collect()).expect("shape")
}

/// Entry `b` of the batch axis.
pub fn entry(array: &ArrayD<f64>, b: usize) -> ArrayD<f64> {
    array.index_axis(Axis(0), b).to_owned()
}

/// Numbers of a JSON array, or the number alone; empty for null.
pub fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_f64).collect(),
        other => other.as_f64().into_iter().collect(),
    }
}

/// Options of a chain whose patch has the size of `data` (c, [z,] y, x).
pub fn options_for(data: &ArrayD<f64>) -> PipelineOptions {
    PipelineOptions::new(&data.shape()[1..], data.shape()[0])
}

/// Runs a training chain on a patch of the network's own size.
pub fn run(options: &PipelineOptions, params: &Params, sample: &Sample) -> Augmented {
    let chain = Pipeline::training(options).expect("chain");
    let mut out = chain.destination();
    chain
        .apply(params, None, sample, &mut Workspace::default(), &mut out)
        .expect("apply");
    out
}

/// A sample of an image and a segmentation of zeros.
pub fn image_sample(data: &ArrayD<f64>) -> Sample {
    let data = image(data);
    let mut shape = data.shape();
    shape[0] = 1;
    Sample::whole(data, Block::new(shape), None)
}

/// The standard strength of a chain with a modification.
pub fn strength(options: &PipelineOptions, change: impl FnOnce(&mut Strength)) -> Option<Strength> {
    let mut strength = options.strength();
    change(&mut strength);
    Some(strength)
}
