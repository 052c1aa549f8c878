//! Times one training step on the CPU, and the same step with libtorch's own operators as in PyTorch's eager
//! mode: channels first, separate instance normalisation and leaky ReLU, loss from tensor operators, one
//! optimiser operation per parameter.
//!
//! `cargo bench -p engine --bench step -- [patch z,y,x] [batch] [base features] [poolings] [threads]`
#![allow(
    missing_docs,
    clippy::assign_op_pattern,
    clippy::unwrap_used,
    reason = "a program for developers"
)]

use std::collections::BTreeMap;
use std::time::Instant;

use engine::loss::{deep_supervision_weights, Loss};
use engine::network::{GenericUNet, Heads};
use engine::optimizer::Sgd;
use engine::{Architecture, Recipe};
use tch::{Device, Kind, Tensor};

const STEPS: usize = 6;

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with("--"))
        .collect();
    let number = |i: usize, default: i64| arguments.get(i).map_or(default, |a| a.parse().unwrap());
    let patch: Vec<i64> = arguments.first().map_or(vec![40, 56, 40], |a| {
        a.split(',').map(|n| n.parse().unwrap()).collect()
    });
    let (batch, base, pools, threads) = (number(1, 2), number(2, 32), number(3, 3), number(4, 2));
    tch::set_num_threads(threads as i32);
    let axes = patch.len();
    let architecture = Architecture {
        input_channels: 1,
        classes: 4,
        base_features: base,
        conv_per_stage: 2,
        pools: vec![vec![2; axes]; pools as usize],
        kernels: vec![vec![3; axes]; pools as usize + 1],
    };
    println!("patch {patch:?}, batch {batch}, base features {base}, {pools} poolings, {threads} threads");
    let options = (Kind::Float, Device::Cpu);
    let data = Tensor::randn([&[batch, 1], patch.as_slice()].concat(), options);
    let targets: Vec<Tensor> = (0..pools)
        .map(|scale| {
            let size: Vec<i64> = patch.iter().map(|n| n >> scale).collect();
            Tensor::randint(4, [&[batch, 1], size.as_slice()].concat(), options)
        })
        .collect();
    for kind in [Kind::Float, Kind::BFloat16] {
        let network = GenericUNet::new(architecture.clone(), 1, Device::Cpu).unwrap();
        let scales = deep_supervision_weights(pools as usize);
        let loss = Loss::new(&Recipe::default().loss, None, false, scales.clone(), Device::Cpu).unwrap();
        let mut sgd = Sgd::new(network.parameters().len());
        let mut weights = network.weights(kind).unwrap();
        let mut split = [0.0; 4];
        let ours = fastest(|| {
            let mut clock = Instant::now();
            let mut lap = |part: &mut f64| {
                *part += clock.elapsed().as_secs_f64() / STEPS as f64;
                clock = Instant::now();
            };
            network.update(&weights).unwrap();
            let outputs = network
                .forward(&data, &weights, Heads::Finest(loss.outputs()))
                .unwrap();
            lap(&mut split[0]);
            let value = loss.evaluate(&outputs, &targets, None).unwrap();
            lap(&mut split[1]);
            let gradients = network.gradients(&value, &mut weights).unwrap();
            lap(&mut split[2]);
            sgd.step(network.parameters(), &gradients, 0.01).unwrap();
            lap(&mut split[3]);
        });
        let parts = split.map(|s| format!("{:.0}", s * 1e3));
        println!(
            "{kind:?}: {ours} (mean forward, loss, backward, optimiser: {})",
            parts.join(", ")
        );
        profile(|| {
            network.update(&weights)?;
            let outputs = network.forward(&data, &weights, Heads::Finest(loss.outputs()))?;
            let value = loss.evaluate(&outputs, &targets, None)?;
            let gradients = network.gradients(&value, &mut weights)?;
            sgd.step(network.parameters(), &gradients, 0.01)
        });
        let eager = Eager::new(&architecture);
        let mut momenta: Vec<Tensor> = eager.parameters.iter().map(Tensor::zeros_like).collect();
        let theirs = fastest(|| eager.step(&data, &targets, &scales, kind, &mut momenta));
        println!("{kind:?}: {theirs} with libtorch's own operators");
    }
}

/// Prints the operators that one step spends its time in, with their share of the step. The kernels of this
/// crate are no operators: they are the rest.
fn profile(step: impl FnOnce() -> engine::Result<f64>) {
    let start = Instant::now();
    let (_, operators) = engine::count_operators(step).unwrap();
    let whole = start.elapsed().as_secs_f64();
    let mut rows: Vec<(&String, &engine::Calls)> = operators.iter().collect();
    rows.sort_by(|a, b| b.1.seconds.total_cmp(&a.1.seconds));
    let calls: u64 = rows.iter().map(|(_, row)| row.network + row.outside).sum();
    let listed: f64 = rows.iter().map(|(_, row)| row.seconds).sum();
    println!("  {calls} operator calls; by time:");
    for (name, row) in rows.iter().take(8) {
        let (count, share) = (row.network + row.outside, 100.0 * row.seconds / whole);
        println!("  {share:5.1} % {name} ({count} calls)");
    }
    println!(
        "  {:5.1} % kernels of this crate, and what is between operators",
        100.0 * (1.0 - listed / whole)
    );
}

/// Wall time and CPU time of all threads (Linux) in milliseconds: the fastest of several runs after a
/// warm-up.
fn fastest(mut run: impl FnMut()) -> String {
    run();
    let (mut wall, mut cpu) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..STEPS {
        let (start, before) = (Instant::now(), cpu_seconds());
        run();
        wall = wall.min(start.elapsed().as_secs_f64());
        cpu = cpu.min(cpu_seconds() - before);
    }
    format!("{:.0} ms, {:.0} ms of CPU", wall * 1e3, cpu * 1e3)
}

/// CPU time of this process, which depends less on other load than wall time; 0 if the system does not report
/// it.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // utime and stime are the 12th and 13th fields after the name, in hundredths of a second.
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields
        .skip(11)
        .take(2)
        .filter_map(|f| f.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}

/// The same network with libtorch's own operators.
struct Eager {
    shape: Architecture,
    index: BTreeMap<String, usize>,
    parameters: Vec<Tensor>,
}

impl Eager {
    fn new(shape: &Architecture) -> Self {
        let network = GenericUNet::new(shape.clone(), 1, Device::Cpu).unwrap();
        let index = network
            .names()
            .enumerate()
            .map(|(i, name)| (name.to_owned(), i))
            .collect();
        let parameters = network
            .parameters()
            .iter()
            .map(|p| p.copy().detach().set_requires_grad(true))
            .collect();
        Self {
            shape: shape.clone(),
            index,
            parameters,
        }
    }

    fn get(&self, name: &str, kind: Kind) -> Tensor {
        self.parameters[self.index[name]].to_kind(kind)
    }

    fn block(&self, x: &Tensor, name: &str, stride: &[i64], kind: Kind) -> Tensor {
        let (w, b) = (
            self.get(&format!("{name}.conv.weight"), kind),
            self.get(&format!("{name}.conv.bias"), kind),
        );
        let ones = vec![1; stride.len()];
        let x = match stride.len() {
            2 => x.conv2d(&w, Some(&b), stride, &ones, &ones, 1),
            _ => x.conv3d(&w, Some(&b), stride, &ones, &ones, 1),
        };
        let gamma = self.get(&format!("{name}.instnorm.weight"), Kind::Float);
        let beta = self.get(&format!("{name}.instnorm.bias"), Kind::Float);
        let none = None::<&Tensor>;
        x.instance_norm(Some(&gamma), Some(&beta), none, none, true, 0.1, 1e-5, true)
            .leaky_relu_()
    }

    fn forward(&self, data: &Tensor, kind: Kind) -> Vec<Tensor> {
        let (depth, ones) = (self.shape.pools.len(), vec![1; self.shape.dimensions()]);
        let (mut x, mut skips) = (data.to_kind(kind), Vec::new());
        for d in 0..=depth {
            let stride = if d == 0 { &ones } else { &self.shape.pools[d - 1] };
            let (first, second) = if d == depth {
                ("0.blocks.0", "1.blocks.0")
            } else {
                ("blocks.0", "blocks.1")
            };
            x = self.block(&x, &format!("conv_blocks_context.{d}.{first}"), stride, kind);
            x = self.block(&x, &format!("conv_blocks_context.{d}.{second}"), &ones, kind);
            skips.push(x.shallow_clone());
        }
        skips.pop();
        let mut outputs = Vec::new();
        for u in 0..depth {
            let (w, pool) = (
                self.get(&format!("tu.{u}.weight"), kind),
                &self.shape.pools[depth - 1 - u],
            );
            let zeros = vec![0; pool.len()];
            x = match pool.len() {
                2 => x.conv_transpose2d(&w, None::<&Tensor>, pool, &zeros, &zeros, 1, &ones),
                _ => x.conv_transpose3d(&w, None::<&Tensor>, pool, &zeros, &zeros, 1, &ones),
            };
            x = Tensor::cat(&[x, skips.pop().unwrap()], 1);
            x = self.block(
                &x,
                &format!("conv_blocks_localization.{u}.0.blocks.0"),
                &ones,
                kind,
            );
            x = self.block(
                &x,
                &format!("conv_blocks_localization.{u}.1.blocks.0"),
                &ones,
                kind,
            );
            let head = self.get(&format!("seg_outputs.{u}.weight"), kind);
            let none = None::<&Tensor>;
            outputs.push(match pool.len() {
                2 => x.conv2d(&head, none, &ones, &zeros, &ones, 1),
                _ => x.conv3d(&head, none, &ones, &zeros, &ones, 1),
            });
        }
        outputs.reverse();
        outputs
    }

    fn step(&self, data: &Tensor, targets: &[Tensor], scales: &[f64], kind: Kind, momenta: &mut [Tensor]) {
        let outputs = self.forward(data, kind);
        let mut total = Tensor::zeros([], (Kind::Float, Device::Cpu));
        for ((logits, target), &scale) in outputs.iter().zip(targets).zip(scales).filter(|(_, &s)| s != 0.0) {
            let logits = logits.to_kind(Kind::Float);
            let axes: Vec<i64> = (2..logits.dim() as i64).collect();
            let softmax = logits.softmax(1, Kind::Float);
            let onehot = softmax
                .zeros_like()
                .scatter_value(1, &target.to_kind(Kind::Int64), 1.0);
            let sum = |t: Tensor| t.sum_dim_intlist(axes.as_slice(), false, Kind::Float);
            let (hit, wrong) = (sum(&softmax * &onehot), sum(&softmax * (1.0 - &onehot)));
            let missed = sum((1.0 - &softmax) * &onehot);
            let dice = (&hit * 2.0 + 1e-5) / (&hit * 2.0 + wrong + missed + 1e-5 + 1e-8);
            let dice = dice.narrow(1, 1, dice.size()[1] - 1).mean(Kind::Float);
            let label = target.squeeze_dim(1).to_kind(Kind::Int64);
            let none = None::<&Tensor>;
            let ce = logits.cross_entropy_loss(&label, none, tch::Reduction::Mean, -100, 0.0);
            total = total + (ce - dice) * scale;
        }
        let gradients = Tensor::f_run_backward(&[total], &self.parameters, false, false).unwrap();
        let defined: Vec<&Tensor> = gradients.iter().filter(|g| g.defined()).collect();
        let norms: Vec<Tensor> = defined.iter().map(|g| g.norm()).collect();
        let norm = Tensor::stack(&norms, 0).norm().double_value(&[]);
        tch::no_grad(|| {
            for ((p, g), m) in self
                .parameters
                .iter()
                .zip(&gradients)
                .zip(momenta)
                .filter(|((_, g), _)| g.defined())
            {
                let mut p = p.shallow_clone();
                let mut g = g.shallow_clone();
                let _ = g.g_mul_scalar_((12.0 / (norm + 1e-6)).min(1.0));
                let g = &g + &p * 3e-5;
                let _ = m.g_mul_scalar_(0.99);
                let _ = m.g_add_(&g);
                let _ = p.g_sub_(&((&g + &*m * 0.99) * 0.01));
            }
        });
    }
}
