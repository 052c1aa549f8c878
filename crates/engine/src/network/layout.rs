//! Names, shapes and indices of a network's parameters, in the order of nnU-Net v1's `state_dict`.

use crate::Architecture;

/// Kind of a parameter. It determines the initial values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Weight of a convolution, (out, in, kernel), or of a transposed one, (in, out, kernel).
    Convolution,
    /// Initial value 1.
    NormWeight,
    /// Initial value 0.
    Bias,
}

/// One parameter.
#[derive(Clone, Debug)]
pub(super) struct Parameter {
    pub name: String,
    pub shape: Vec<i64>,
    pub role: Role,
}

impl Parameter {
    /// Whether this is a weight or bias of a normalisation.
    pub fn is_norm(&self) -> bool {
        self.name.contains("instnorm")
    }

    /// Whether this belongs to the encoder, with the bottleneck.
    pub fn is_encoder(&self) -> bool {
        self.name.starts_with("conv_blocks_context.")
    }

    /// Whether this is the bias of a convolution.
    pub fn is_conv_bias(&self) -> bool {
        self.name.ends_with("conv.bias")
    }
}

/// Convolution, normalisation, leaky ReLU: four parameters, beginning at index `first`.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub first: usize,
    pub stride: Vec<i64>,
    pub padding: Vec<i64>,
}

/// Parameters and their positions in the network.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    pub parameters: Vec<Parameter>,
    /// Encoder stages, finest first, the bottleneck last.
    pub context: Vec<Vec<Block>>,
    /// Decoder stages, coarsest first.
    pub localization: Vec<Vec<Block>>,
    /// Index and stride of the transposed convolutions, coarsest first.
    pub up: Vec<(usize, Vec<i64>)>,
    /// Index of the 1x1 convolutions of the segmentation heads, coarsest first.
    pub heads: Vec<usize>,
}

impl Layout {
    /// The layout of a validated architecture.
    pub fn new(a: &Architecture) -> Self {
        let (depth, features, one) = (a.pools.len(), a.features(), vec![1; a.dimensions()]);
        let mut layout = Self::default();
        for u in 0..depth {
            // The skip of decoder stage u comes from encoder stage depth - 1 - u. The coarsest decoder stage
            // uses the bottleneck's kernel. No decoder stage uses the finest encoder stage's kernel.
            let (skip, kernel) = (features[depth - 1 - u], &a.kernels[depth - u]);
            let stage = (0..a.conv_per_stage)
                .map(|i| {
                    let name = if i + 1 < a.conv_per_stage {
                        format!("0.blocks.{i}")
                    } else {
                        "1.blocks.0".into()
                    };
                    let input = if i == 0 { 2 * skip } else { skip };
                    layout.block(
                        &format!("conv_blocks_localization.{u}.{name}"),
                        input,
                        skip,
                        kernel,
                        &one,
                    )
                })
                .collect();
            layout.localization.push(stage);
        }
        for d in 0..=depth {
            let stage = (0..a.conv_per_stage)
                .map(|i| {
                    let name = match (d == depth, i + 1 < a.conv_per_stage) {
                        (false, _) => format!("blocks.{i}"),
                        (true, true) => format!("0.blocks.{i}"),
                        (true, false) => "1.blocks.0".to_owned(),
                    };
                    let input = match (d, i) {
                        (0, 0) => a.input_channels,
                        (_, 0) => features[d - 1],
                        _ => features[d],
                    };
                    let stride = if d > 0 && i == 0 { &a.pools[d - 1] } else { &one };
                    let name = format!("conv_blocks_context.{d}.{name}");
                    layout.block(&name, input, features[d], &a.kernels[d], stride)
                })
                .collect();
            layout.context.push(stage);
        }
        for u in 0..depth {
            let (pool, skip) = (&a.pools[depth - 1 - u], features[depth - 1 - u]);
            let shape = [&[features[depth - u], skip], pool.as_slice()].concat();
            let index = layout.add(format!("tu.{u}.weight"), shape, Role::Convolution);
            layout.up.push((index, pool.clone()));
        }
        for u in 0..depth {
            let shape = [&[a.classes, features[depth - 1 - u]], one.as_slice()].concat();
            let index = layout.add(format!("seg_outputs.{u}.weight"), shape, Role::Convolution);
            layout.heads.push(index);
        }
        layout
    }

    fn add(&mut self, name: String, shape: Vec<i64>, role: Role) -> usize {
        self.parameters.push(Parameter { name, shape, role });
        self.parameters.len() - 1
    }

    fn block(&mut self, name: &str, input: i64, output: i64, kernel: &[i64], stride: &[i64]) -> Block {
        let weight = [&[output, input], kernel].concat();
        let first = self.add(format!("{name}.conv.weight"), weight, Role::Convolution);
        self.add(format!("{name}.conv.bias"), vec![output], Role::Bias);
        self.add(format!("{name}.instnorm.weight"), vec![output], Role::NormWeight);
        self.add(format!("{name}.instnorm.bias"), vec![output], Role::Bias);
        let padding = kernel.iter().map(|&k| i64::from(k == 3)).collect();
        Block {
            first,
            stride: stride.to_vec(),
            padding,
        }
    }
}
