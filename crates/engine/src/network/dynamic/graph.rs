//! The operators of a network and their parameters, from its architecture.

use v2::architecture::{Encoder, Norm, Stage, Statistics};
use v2::Architecture;

/// Where the values of a parameter come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Source {
    /// The checkpoint.
    State,
    /// A normalisation without weight and bias has 1 and 0.
    Constant(f64),
}

/// A parameter.
#[derive(Clone, Debug)]
pub(super) struct Parameter {
    pub name: String,
    pub shape: Vec<i64>,
    /// Whether it belongs to a normalisation.
    pub norm: bool,
    pub source: Source,
}

/// A convolution; fields of parameters are indices.
#[derive(Clone, Debug)]
pub(super) struct Conv {
    pub weight: usize,
    pub bias: Option<usize>,
    pub stride: Vec<i64>,
    pub padding: Vec<i64>,
}

#[derive(Clone, Debug)]
pub(super) struct Normalisation {
    pub weight: usize,
    pub bias: usize,
    /// Mean and variance of the training.
    pub running: Option<(usize, usize)>,
    pub eps: f64,
}

/// `ConvDropoutNormReLU`
#[derive(Clone, Debug)]
pub(super) struct ConvBlock {
    pub conv: Conv,
    pub norm: Option<Normalisation>,
    /// Whether it ends with the network's activation.
    pub activated: bool,
    pub activation_first: bool,
}

/// `BasicBlockD` or `BottleneckD`
#[derive(Clone, Debug)]
pub(super) struct ResidualBlock {
    pub path: Vec<ConvBlock>,
    pub pool: Option<Vec<i64>>,
    pub projection: Option<ConvBlock>,
}

#[derive(Clone, Debug)]
pub(super) enum Block {
    Convolution(ConvBlock),
    Residual(ResidualBlock),
}

#[derive(Clone, Debug)]
pub(super) struct Up {
    pub up: Conv,
    pub blocks: Vec<Block>,
}

/// The network.
#[derive(Clone, Debug)]
pub(super) struct Graph {
    pub parameters: Vec<Parameter>,
    pub stem: Option<ConvBlock>,
    /// Stages, finest first.
    pub encoder: Vec<Vec<Block>>,
    /// Stages, coarsest first.
    pub decoder: Vec<Up>,
    pub head: Conv,
    /// Number of heads in a checkpoint; only the last one, the finest, is used.
    heads: usize,
}

impl Graph {
    /// The network of an architecture.
    pub fn new(architecture: &Architecture, channels: i64, outputs: i64) -> Self {
        let mut builder = Builder {
            architecture,
            parameters: Vec::new(),
        };
        let stages = &architecture.stages;
        let mut input = channels;
        let mut stem = None;
        if let Encoder::Residual { stem: features, .. } = architecture.encoder {
            let (kernel, one) = (&stages[0].kernel, vec![1; architecture.dimensions()]);
            stem = Some(builder.block("encoder.stem.convs.0", input, features, kernel, &one));
            input = features;
        }
        let mut encoder = Vec::with_capacity(stages.len());
        for (index, stage) in stages.iter().enumerate() {
            encoder.push(builder.encoder_stage(index, input, stage));
            input = stage.features;
        }
        let mut decoder = Vec::with_capacity(stages.len() - 1);
        for (index, &convolutions) in architecture.decoder.iter().enumerate() {
            let (below, skip) = (
                &stages[stages.len() - 1 - index],
                &stages[stages.len() - 2 - index],
            );
            let shape = [&[below.features, skip.features], below.stride.as_slice()].concat();
            let name = format!("decoder.transpconvs.{index}");
            let up = builder.conv(&name, shape, skip.features, architecture.bias, &below.stride);
            let name = format!("decoder.stages.{index}.convs");
            let input = 2 * skip.features;
            let one = vec![1; architecture.dimensions()];
            let blocks = builder.stacked(&name, (input, skip.features), &skip.kernel, &one, convolutions);
            decoder.push(Up { up, blocks });
        }
        let heads = decoder.len();
        let one = vec![1; architecture.dimensions()];
        let shape = [&[outputs, stages[0].features], one.as_slice()].concat();
        let name = format!("decoder.seg_layers.{}", heads - 1);
        let head = builder.conv(&name, shape, outputs, true, &one);
        Self {
            parameters: builder.parameters,
            stem,
            encoder,
            decoder,
            head,
            heads,
        }
    }

    /// Whether a checkpoint of this network has a parameter of this name.
    pub fn knows(&self, name: &str) -> bool {
        let head = |rest: &str| {
            let (index, kind) = rest.split_once('.')?;
            Some(index.parse::<usize>().ok()? < self.heads && (kind == "weight" || kind == "bias"))
        };
        self.parameters.iter().any(|parameter| parameter.name == name)
            || name.strip_prefix("decoder.seg_layers.").and_then(head) == Some(true)
    }
}

struct Builder<'a> {
    architecture: &'a Architecture,
    parameters: Vec<Parameter>,
}

impl Builder<'_> {
    fn add(&mut self, name: String, shape: Vec<i64>, norm: bool, source: Source) -> usize {
        self.parameters.push(Parameter {
            name,
            shape,
            norm,
            source,
        });
        self.parameters.len() - 1
    }

    /// A convolution with `output` channels. `shape` is that of its weight.
    fn conv(&mut self, name: &str, shape: Vec<i64>, output: i64, bias: bool, stride: &[i64]) -> Conv {
        let padding = shape[2..].iter().map(|size| (size - 1) / 2).collect();
        let weight = self.add(format!("{name}.weight"), shape, false, Source::State);
        let bias = bias.then(|| self.add(format!("{name}.bias"), vec![output], false, Source::State));
        Conv {
            weight,
            bias,
            stride: stride.to_vec(),
            padding,
        }
    }

    fn norm(&mut self, name: &str, norm: Norm, features: i64) -> Normalisation {
        let mut add = |part: &str, constant: f64| {
            let source = if norm.affine {
                Source::State
            } else {
                Source::Constant(constant)
            };
            self.add(format!("{name}.{part}"), vec![features], true, source)
        };
        let (weight, bias) = (add("weight", 1.0), add("bias", 0.0));
        let running = (norm.statistics == Statistics::Running).then(|| {
            let mut add =
                |part: &str| self.add(format!("{name}.{part}"), vec![features], true, Source::State);
            (add("running_mean"), add("running_var"))
        });
        Normalisation {
            weight,
            bias,
            running,
            eps: norm.eps,
        }
    }

    /// `ConvDropoutNormReLU` of the network's settings.
    fn block(&mut self, name: &str, input: i64, output: i64, kernel: &[i64], stride: &[i64]) -> ConvBlock {
        self.block_with(name, [input, output], kernel, stride, self.architecture.bias)
    }

    fn block_with(
        &mut self,
        name: &str,
        [input, output]: [i64; 2],
        kernel: &[i64],
        stride: &[i64],
        bias: bool,
    ) -> ConvBlock {
        let shape = [&[output, input], kernel].concat();
        let conv = self.conv(&format!("{name}.conv"), shape, output, bias, stride);
        let norm = self.architecture.norm;
        ConvBlock {
            conv,
            norm: norm.map(|norm| self.norm(&format!("{name}.norm"), norm, output)),
            activated: true,
            activation_first: self.architecture.encoder
                == Encoder::Plain {
                    activation_first: true,
                },
        }
    }

    /// `StackedConvBlocks`
    fn stacked(
        &mut self,
        name: &str,
        (input, output): (i64, i64),
        kernel: &[i64],
        stride: &[i64],
        count: usize,
    ) -> Vec<Block> {
        let one = vec![1; kernel.len()];
        (0..count)
            .map(|index| {
                let (input, stride) = if index == 0 {
                    (input, stride)
                } else {
                    (output, one.as_slice())
                };
                Block::Convolution(self.block(&format!("{name}.{index}"), input, output, kernel, stride))
            })
            .collect()
    }

    fn encoder_stage(&mut self, index: usize, input: i64, stage: &Stage) -> Vec<Block> {
        let Encoder::Residual { bottlenecks, .. } = &self.architecture.encoder else {
            let name = format!("encoder.stages.{index}.0.convs");
            return self.stacked(
                &name,
                (input, stage.features),
                &stage.kernel,
                &stage.stride,
                stage.blocks,
            );
        };
        let bottleneck = bottlenecks.as_ref().map(|all| all[index]);
        let one = vec![1; stage.stride.len()];
        (0..stage.blocks)
            .map(|block| {
                let name = format!("encoder.stages.{index}.blocks.{block}");
                let (input, stride) = if block == 0 {
                    (input, &stage.stride)
                } else {
                    (stage.features, &one)
                };
                Block::Residual(self.residual(&name, input, stage, stride, bottleneck))
            })
            .collect()
    }

    fn residual(
        &mut self,
        name: &str,
        input: i64,
        stage: &Stage,
        stride: &[i64],
        bottleneck: Option<i64>,
    ) -> ResidualBlock {
        let (output, kernel) = (stage.features, stage.kernel.as_slice());
        let one = vec![1; stride.len()];
        let one = one.as_slice();
        let steps = match bottleneck {
            None => vec![(input, output, kernel, stride), (output, output, kernel, one)],
            Some(middle) => vec![
                (input, middle, one, one),
                (middle, middle, kernel, stride),
                (middle, output, one, one),
            ],
        };
        let last = steps.len();
        let mut path: Vec<_> = steps
            .into_iter()
            .enumerate()
            .map(|(index, (input, output, kernel, stride))| {
                self.block(
                    &format!("{name}.conv{}", index + 1),
                    input,
                    output,
                    kernel,
                    stride,
                )
            })
            .collect();
        path[last - 1].activated = false;
        let pool = (stride != one).then(|| stride.to_vec());
        let projection = (input != output).then(|| {
            // It follows the pooling in one `Sequential`.
            let name = format!("{name}.skip.{}", usize::from(pool.is_some()));
            let mut block = self.block_with(&name, [input, output], one, one, false);
            block.activated = false;
            block
        });
        ResidualBlock {
            path,
            pool,
            projection,
        }
    }
}
