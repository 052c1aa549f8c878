use engine::Architecture;
use engine::{count_operators, Operators};
use recipe::Trainer;
use tch::Device;

use super::*;

fn compute(kernels: Kernels, kind: Kind) -> Compute {
    Compute {
        device: Device::Cpu,
        kind,
        tf32: false,
        kernels,
        reason: String::new(),
    }
}

fn architecture(axes: usize, poolings: usize, base_features: i64) -> Architecture {
    Architecture {
        input_channels: 1,
        classes: 3,
        base_features,
        conv_per_stage: 2,
        pools: vec![vec![2; axes]; poolings],
        kernels: vec![vec![3; axes]; poolings + 1],
    }
}

/// Batch number `index`, the same in every call.
fn input(session: &Session, recipe: &Recipe, patch: &[i64], index: i64) -> Input {
    let scales = session.loss.outputs();
    // Not libtorch's generator, because tests in other threads use it too.
    let wave = |scale: usize, step: f64| {
        let size: Vec<i64> = patch.iter().map(|n| n >> scale).collect();
        let shape = [&[2, 1], size.as_slice()].concat();
        let count: i64 = shape.iter().product();
        let index = Tensor::arange(count, (Kind::Double, Device::Cpu)) + index * count;
        (index * step).sin().to_kind(Kind::Float).reshape(shape)
    };
    let lowest = f64::from(recipe.ignore_label.unwrap_or(0));
    let label = |scale| (wave(scale, 0.7) * 3.0).floor().clamp(lowest, 2.0);
    let mut tensors = vec![wave(0, 2.3)];
    tensors.extend((0..scales).map(label));
    if recipe.voxel_weights {
        tensors.extend((0..scales).map(|scale| wave(scale, 1.1) + 1.0));
    }
    Input {
        tensors: session.intake.uploads.start(&tensors).unwrap(),
        targets: scales,
        annotated: true,
        present: None,
    }
}

fn session(
    architecture: Architecture,
    recipe: &Recipe,
    batch_dice: bool,
    compute: &Compute,
) -> Result<Session> {
    let network = GenericUNet::new(architecture, 5, compute.device)?;
    Session::with(network, recipe, batch_dice, compute, &[])
}

#[test]
fn iterations_of_composed_and_fused_kernels_agree() {
    for (axes, trainer) in [(3, Trainer::V2), (2, Trainer::Sparse), (3, Trainer::Weighted)] {
        let (recipe, patch) = (Recipe::preset(trainer), vec![16; axes]);
        let mut sessions = [Kernels::Fused, Kernels::Composed].map(|kernels| {
            let compute = compute(kernels, Kind::Float);
            session(architecture(axes, 2, 4), &recipe, axes == 2, &compute).unwrap()
        });
        for iteration in 0..6 {
            let [fused, composed] = sessions.each_mut().map(|session| {
                let input = input(session, &recipe, &patch, iteration);
                let launched = session.train(input, 0.003).unwrap();
                session.settle(launched).unwrap()
            });
            let what = format!("{trainer:?} iteration {iteration}: {fused:?} {composed:?}");
            assert!((fused.loss - composed.loss).abs() < 2e-4, "{what}");
            assert!((fused.norm - composed.norm).abs() < 5e-3 * fused.norm, "{what}");
        }
        let [fused, composed] = sessions.map(|session| session.network.state().unwrap());
        for ((name, expected), (_, found)) in fused.iter().zip(&composed) {
            let error = (found - expected).mapv(|v| v * v).sum().sqrt();
            let size = expected.mapv(|v| v * v).sum().sqrt();
            // The bias before a normalisation has no gradient but rounding.
            assert!(
                error <= 2e-3 * size + 1e-5,
                "{trainer:?} {name}: {error} of {size}"
            );
        }
    }
}

#[test]
fn a_batch_that_is_not_finite_changes_only_the_loss_scale() {
    let (recipe, patch) = (Recipe::preset(Trainer::V2), [16, 16]);
    for kernels in [Kernels::Fused, Kernels::Composed] {
        let compute = compute(kernels, Kind::Float);
        let mut session = session(architecture(2, 2, 4), &recipe, true, &compute).unwrap();
        let scaled = kernels == Kernels::Composed;
        session.loss_scale = scaled.then_some(LossScale {
            scale: 64.0,
            growth_tracker: 3,
        });
        session.place_loss_scale().unwrap();
        let run = |session: &mut Session, input: Input| {
            let launched = session.train(input, 0.01).unwrap();
            session.settle(launched).unwrap()
        };
        let first = input(&session, &recipe, &patch, 0);
        assert!(run(&mut session, first).norm.is_finite());
        let state = |session: &Session| {
            let momenta = session.optimizer_state(0.01).unwrap().momenta;
            (session.network.state().unwrap(), momenta)
        };
        let before = state(&session);
        let mut bad = session
            .intake
            .arrive(input(&session, &recipe, &patch, 1))
            .unwrap();
        let _ = bad.data.fill_(f64::INFINITY);
        let tensors: Vec<Tensor> = std::iter::once(bad.data).chain(bad.targets).collect();
        let bad = Input {
            targets: tensors.len() - 1,
            tensors: session.intake.uploads.start(&tensors).unwrap(),
            present: None,
            annotated: true,
        };
        let step = run(&mut session, bad);
        assert!(!step.loss.is_finite() && !step.norm.is_finite(), "{step:?}");
        assert!(state(&session) == before, "{kernels:?}");
        if scaled {
            let halved = LossScale {
                scale: 32.0,
                growth_tracker: 0,
            };
            assert_eq!(session.loss_scale, Some(halved));
            let on_device = session.device_loss_scale.as_ref().unwrap();
            assert_eq!(on_device.read().unwrap(), halved);
        }
        let last = input(&session, &recipe, &patch, 2);
        assert!(run(&mut session, last).norm.is_finite());
        assert!(state(&session) != before, "{kernels:?}");
    }
}

/// Operators that wait for the device, because their result is on the host or its size depends on values.
const READS: [&str; 8] = [
    "aten::_local_scalar_dense",
    "aten::item",
    "aten::is_nonzero",
    "aten::equal",
    "aten::nonzero",
    "aten::masked_select",
    "aten::bincount",
    "aten::_unique2",
];

/// Operators that only describe or reserve memory: no work for the device.
const VIEWS: [&str; 9] = [
    "aten::as_strided",
    "aten::detach",
    "aten::empty",
    "aten::empty_like",
    "aten::empty_strided",
    "aten::select",
    "aten::to",
    "aten::unsqueeze",
    "aten::view",
];

/// Operators that read a value of the device.
fn reads(operators: &Operators) -> Vec<&'static str> {
    READS
        .into_iter()
        .filter(|name| operators.contains_key(*name))
        .collect()
}

/// Calls outside the network: all, and those that are work for the device.
fn outside(operators: &Operators) -> (u64, u64) {
    let sum = |keep: fn(&str) -> bool| {
        let kept = operators.iter().filter(|(name, _)| keep(name));
        kept.map(|(_, calls)| calls.outside).sum()
    };
    (sum(|_| true), sum(|name| !VIEWS.contains(&name)))
}

#[test]
fn an_iteration_of_six_poolings_reads_nothing_and_makes_few_calls() {
    for trainer in [Trainer::V2, Trainer::Sparse, Trainer::Weighted] {
        let recipe = Recipe::preset(trainer);
        let compute = compute(Kernels::Composed, Kind::BFloat16);
        let mut session = session(architecture(2, 6, 2), &recipe, true, &compute).unwrap();
        session.loss_scale = Some(LossScale::default());
        session.place_loss_scale().unwrap();
        let mut running = None;
        // The first iteration makes momenta and constants.
        for iteration in 0..3 {
            let input = input(&session, &recipe, &[128, 128], iteration);
            let (launched, operators) = count_operators(|| session.train(input, 0.01)).unwrap();
            let before = running.replace(launched);
            let networks: u64 = operators.values().map(|calls| calls.network).sum();
            assert!(networks > 500, "{networks} calls in the network");
            assert_eq!(reads(&operators), [""; 0], "{trainer:?}");
            let (all, work) = outside(&operators);
            // Ignored labels need a mask at every scale, which counts in views and allocations.
            let most = if trainer == Trainer::V2 { all } else { work };
            let what = format!("{trainer:?}: {all} calls, {work} without views: {operators:#?}");
            assert!(iteration == 0 || most <= 350, "{what}");
            assert!(work > 50, "{what}");
            if let Some(before) = before {
                assert!(session.settle(before).unwrap().loss.is_finite());
            }
        }
    }
}

#[test]
fn a_validation_batch_reads_nothing_until_its_results_are_taken() {
    for trainer in [Trainer::V2, Trainer::Sparse, Trainer::Weighted] {
        let recipe = Recipe::preset(trainer);
        let session = |kernels| {
            let compute = compute(kernels, Kind::Float);
            session(architecture(2, 2, 2), &recipe, true, &compute).unwrap()
        };
        let (composed, fused) = (session(Kernels::Composed), session(Kernels::Fused));
        let evaluation = OnlineEvaluation::new(3, recipe.ignore_label).with_weights(recipe.weights_dice());
        for iteration in 0..2 {
            let batch = || input(&composed, &recipe, &[32, 32], iteration);
            let (validated, operators) = count_operators(|| composed.validate(batch(), &evaluation)).unwrap();
            assert_eq!(reads(&operators), [""; 0], "{trainer:?}");
            let (loss, counts) = validated.finish().unwrap();
            let (expected, fused) = fused.validate(batch(), &evaluation).unwrap().finish().unwrap();
            assert!((loss - expected).abs() < 1e-4, "{trainer:?}: {loss} {expected}");
            assert_eq!(counts.len(), 9);
            // A voxel whose classes are almost equally probable may get the other one.
            let moved: f64 = counts.iter().zip(&fused).map(|(a, b)| (a - b).abs()).sum();
            assert!(
                counts.iter().sum::<f64>() > 0.0 && moved <= 8.0,
                "{trainer:?}: {counts:?} {fused:?}"
            );
        }
    }
}
