use proptest::prelude::*;
use testkit::{assert_close, Case};

use super::*;
use crate::tensor;

/// Recipe, ignore label and batch Dice of a recording.
fn recipe_of(case: &Case) -> (LossRecipe, Option<i16>, bool) {
    let p = &case.parameters;
    let number = |key: &str, default: f64| p[key].as_f64().unwrap_or(default);
    let mut recipe = LossRecipe {
        log_dice: p["log_dice"].as_bool().unwrap_or(false),
        ..LossRecipe::default()
    };
    let mut ignore = p["ignore_label"].as_i64().map(|label| label as i16);
    if case.function.contains("DCandCEWeightedLoss") {
        let weights = p["class_weights"].as_array().expect("class weights").iter();
        recipe.cross_entropy_class_weights = Some(weights.map(|w| w.as_f64().expect("a number")).collect());
        recipe.ignored_is_background = true;
        recipe.dice = number("weight_dc", 1.0);
    } else if case.function.contains("DC_and_CE_loss_weighted") {
        recipe.dice = number("weight_dice", 0.1);
        recipe.weight_dice = DiceWeights::None;
    } else if case.function.contains("DC_and_CE_loss_with_retained_output") {
        ignore = Some(ignore.unwrap_or(-1));
    }
    recipe.cross_entropy = number("weight_ce", 1.0);
    (recipe, ignore, p["batch_dice"].as_bool().expect("batch_dice"))
}

/// Arrays of a case by name and scale.
struct Recorded {
    logits: Vec<Tensor>,
    targets: Vec<Tensor>,
    weights: Option<Vec<Tensor>>,
    loss: f64,
    gradients: Vec<ndarray::ArrayD<f64>>,
}

fn recorded(case: &Case) -> Recorded {
    let arrays = case.arrays();
    let scales = (0..)
        .take_while(|i| arrays.contains_key(&format!("logits_{i}")))
        .count();
    let names = |what: &str| match scales {
        0 => vec![what.to_owned()],
        n => (0..n).map(|i| format!("{what}_{i}")).collect(),
    };
    let tensors = |what: &str| -> Vec<Tensor> {
        let found = names(what).into_iter().filter_map(|name| arrays.get(&name));
        found
            .map(|a| tensor::from_array(&a.mapv(|v| v as f32).view()).expect("a tensor"))
            .collect()
    };
    let weights = tensors("weight");
    Recorded {
        logits: tensors("logits"),
        targets: tensors("target"),
        weights: (!weights.is_empty()).then_some(weights),
        loss: arrays["loss"].iter().copied().next().unwrap_or(f64::NAN),
        gradients: names("grad")
            .iter()
            .filter_map(|name| arrays.get(name).cloned())
            .collect(),
    }
}

type Backend = fn(&Loss, &Tensor, &Tensor, Option<&Tensor>) -> Result<Tensor>;
const BACKENDS: [(&str, Backend); 2] = [("fused", Loss::fused), ("composed", composed)];

fn composed(loss: &Loss, logits: &Tensor, target: &Tensor, weight: Option<&Tensor>) -> Result<Tensor> {
    loss.composed(logits, target, weight, 1.0)
}

/// Value and gradients of one backend.
fn run(loss: &Loss, backend: Backend, r: &Recorded) -> (f64, Vec<ndarray::ArrayD<f64>>) {
    let logits: Vec<Tensor> = r
        .logits
        .iter()
        .map(|l| l.copy().set_requires_grad(true))
        .collect();
    let mut total = Tensor::zeros([], (Kind::Double, Device::Cpu));
    for (i, &factor) in loss.scales.iter().enumerate().filter(|(_, &f)| f != 0.0) {
        let weight = r.weights.as_ref().map(|w| &w[i]);
        total += backend(loss, &logits[i], &r.targets[i], weight)
            .expect("a loss")
            .to_kind(Kind::Double)
            * factor;
    }
    total.backward();
    let gradient = |l: &Tensor| {
        let g = l.grad();
        let g = if g.defined() { g } else { l.zeros_like() };
        tensor::to_array(&g).expect("an array").mapv(f64::from)
    };
    (total.double_value(&[]), logits.iter().map(gradient).collect())
}

#[test]
fn values_and_gradients_equal_the_reference() {
    let (mut compared, mut repaired) = (0, 0);
    for case in ["2d_", "3d_"].iter().flat_map(|p| testkit::cases("losses", p)) {
        if case.note.contains("NON-SCALAR") {
            continue; // the reference has no loss for it
        }
        let (recipe, ignore, batch_dice) = recipe_of(&case);
        let r = recorded(&case);
        let scales = match (r.logits.len(), case.parameters.get("weight_factors")) {
            (n, Some(serde_json::Value::Null)) => vec![1.0; n],
            (n, _) => deep_supervision_weights(n),
        };
        let loss = Loss::new(&recipe, ignore, batch_dice, scales, Device::Cpu).expect("a loss");
        for (name, backend) in BACKENDS {
            let what = format!("{} {name}", case.file);
            let (value, gradients) = run(&loss, backend, &r);
            if r.loss.is_nan() {
                // The reference divides 0 by 0 if no voxel is annotated; here that scale must contribute
                // nothing.
                assert!(value.is_finite(), "{what}: {value}");
                for (i, (gradient, target)) in gradients.iter().zip(&r.targets).enumerate() {
                    assert!(gradient.iter().all(|g| g.is_finite()), "{what}");
                    let annotated = target
                        .ne(f64::from(ignore.expect("an ignore label")))
                        .any()
                        .int64_value(&[])
                        != 0;
                    assert!(
                        annotated || gradient.iter().all(|&g| g == 0.0),
                        "{what}: scale {i}"
                    );
                }
                repaired += 1;
                continue;
            }
            assert!(
                (value - r.loss).abs() < 1e-5,
                "{what}: found {value}, expected {}",
                r.loss
            );
            for (i, (found, expected)) in gradients.iter().zip(&r.gradients).enumerate() {
                assert_close(found, expected, 1e-6, 1e-4, &format!("{what}: gradient {i}"));
            }
            compared += 1;
        }
    }
    assert!(
        compared > 0 && repaired > 0,
        "{compared} compared, {repaired} repaired"
    );
}

#[test]
fn scale_weights_equal_the_reference() {
    let arrays = testkit::cases("losses", "ds_weights")[0].arrays();
    for (name, expected) in arrays {
        let outputs: usize = name.trim_start_matches('n').parse().expect("a number");
        let found = ndarray::Array1::from(deep_supervision_weights(outputs)).into_dyn();
        assert_close(&found, &expected, 1e-12, 0.0, &name);
    }
}

#[test]
fn a_loss_without_annotation_is_zero() {
    let logits = Tensor::randn([2, 3, 4, 5], (Kind::Float, Device::Cpu));
    let target = Tensor::full([2, 1, 4, 5], -1, (Kind::Float, Device::Cpu));
    let loss = Loss::new(&LossRecipe::default(), Some(-1), true, vec![1.0], Device::Cpu).expect("a loss");
    for (name, backend) in BACKENDS {
        assert_eq!(
            backend(&loss, &logits, &target, None)
                .expect("a loss")
                .double_value(&[]),
            0.0,
            "{name}"
        );
    }
}

#[test]
fn dice_class_weights_give_a_weighted_mean() {
    // Class 1 is predicted perfectly, class 2 not at all: Dice equals the relative weight of class 1.
    let mut logits = Tensor::zeros([1, 3, 1, 4], (Kind::Float, Device::Cpu));
    let _ = logits.narrow(1, 1, 1).fill_(50.0);
    let target = Tensor::from_slice(&[1f32, 1.0, 1.0, 1.0]).reshape([1, 1, 1, 4]);
    let recipe = LossRecipe {
        cross_entropy: 0.0,
        dice_class_weights: Some(vec![9.0, 3.0, 1.0]),
        smooth: 1e-12,
        ..LossRecipe::default()
    };
    let loss = Loss::new(&recipe, None, true, vec![1.0], Device::Cpu).expect("a loss");
    for (name, backend) in BACKENDS {
        let value = backend(&loss, &logits, &target, None)
            .expect("a loss")
            .double_value(&[]);
        assert!((value + 0.75).abs() < 1e-3, "{name}: {value}");
    }
    let _ = logits.fill_(f64::NAN);
    for (name, backend) in BACKENDS {
        let value = backend(&loss, &logits, &target, None)
            .expect("a loss")
            .double_value(&[]);
        assert!(value.is_nan(), "{name}: NaN must not be hidden");
    }
}

#[test]
fn a_voxel_of_weight_2_counts_as_two_voxels() {
    tch::manual_seed(3);
    let (options, recipe) = (
        (Kind::Float, Device::Cpu),
        LossRecipe {
            cross_entropy: 0.0,
            ..LossRecipe::default()
        },
    );
    let (logits, target) = (
        Tensor::randn([1, 3, 6], options),
        Tensor::randint_low(-1, 3, [1, 1, 6], options),
    );
    let counts = [2i64, 1, 0, 3, 1, 2];
    let repeats = Tensor::from_slice(&counts);
    let repeated = |t: &Tensor| t.repeat_interleave_self_tensor(&repeats, 2, None::<i64>);
    let weights = Tensor::from_slice(&counts.map(|n| n as f32)).reshape([1, 1, 6]);
    for recipe in [
        recipe.clone(),
        LossRecipe {
            log_dice: true,
            ..recipe
        },
    ] {
        let loss = Loss::new(&recipe, Some(-1), true, vec![1.0], Device::Cpu).expect("a loss");
        let plain = LossRecipe {
            weight_dice: DiceWeights::None,
            ..recipe
        };
        let plain = Loss::new(&plain, Some(-1), true, vec![1.0], Device::Cpu).expect("a loss");
        for (name, backend) in BACKENDS {
            let value = |loss: &Loss, logits: &Tensor, target: &Tensor, weights: Option<&Tensor>| {
                backend(loss, logits, target, weights)
                    .expect("a loss")
                    .double_value(&[])
            };
            let found = value(&loss, &logits, &target, Some(&weights));
            let expected = value(&plain, &repeated(&logits), &repeated(&target), None);
            assert!((found - expected).abs() < 1e-6, "{name}: {found} {expected}");
            let unweighted = value(&plain, &logits, &target, Some(&weights));
            assert!(
                (unweighted - value(&loss, &logits, &target, None)).abs() < 1e-6,
                "{name}"
            );
            assert!((unweighted - found).abs() > 1e-3, "{name}");
        }
    }
}

#[test]
fn wrong_shapes_and_labels_are_rejected() {
    let logits = Tensor::zeros([1, 3, 4, 4], (Kind::Float, Device::Cpu));
    let loss = Loss::new(&LossRecipe::default(), None, true, vec![1.0], Device::Cpu).expect("a loss");
    for target in [
        Tensor::zeros([1, 1, 4, 5], (Kind::Float, Device::Cpu)),
        Tensor::full([1, 1, 4, 4], 3.0, (Kind::Float, Device::Cpu)),
    ] {
        assert!(loss.evaluate(&[logits.copy()], &[target], None).is_err());
    }
    assert!(loss.evaluate(&[logits], &[], None).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn fused_and_composed_losses_agree(
        seed in 0i64..1_000_000, images in 1i64..4, classes in 2i64..7, side in 1i64..40, deep in any::<bool>(),
        ignore in any::<bool>(), voxels in any::<bool>(), ce_weights in any::<bool>(), dice_weights in any::<bool>(),
        batch_dice in any::<bool>(), log_dice in any::<bool>(), background in any::<bool>(), last in any::<bool>(),
        weight_dice in any::<bool>(),
    ) {
        tch::manual_seed(seed);
        let options = (Kind::Float, Device::Cpu);
        let tail = if deep { vec![3, side, 5] } else { vec![side, 7] };
        let shape = |c: i64| [&[images, c], tail.as_slice()].concat();
        let mut logits = Tensor::randn(shape(classes), options) * 3.0;
        if last {
            logits = crate::shim::channels_last(&logits).expect("channels last");
        }
        let low = if ignore { -1 } else { 0 };
        let target = Tensor::randint_low(low, classes, shape(1), options);
        let weight = Tensor::rand(shape(1), options);
        let class_weights = |on: bool| on.then(|| (0..classes).map(|c| 0.5 + c as f64).collect::<Vec<f64>>());
        let recipe = LossRecipe {
            cross_entropy: 0.7,
            dice: 1.3,
            cross_entropy_class_weights: class_weights(ce_weights),
            dice_class_weights: class_weights(dice_weights),
            log_dice,
            weight_dice: if weight_dice { DiceWeights::Weightmap } else { DiceWeights::None },
            ignored_is_background: background,
            ..LossRecipe::default()
        };
        let loss = Loss::new(&recipe, ignore.then_some(-1), batch_dice, vec![1.0], Device::Cpu).expect("a loss");
        let r = Recorded {
            logits: vec![logits],
            targets: vec![target],
            weights: voxels.then(|| vec![weight]),
            loss: 0.0,
            gradients: vec![],
        };
        let (fused, fused_gradient) = run(&loss, Loss::fused, &r);
        let (composed, composed_gradient) = run(&loss, composed, &r);
        prop_assert!((fused - composed).abs() < 2e-5 * (1.0 + composed.abs()), "{} {}", fused, composed);
        assert_close(&fused_gradient[0], &composed_gradient[0], 2e-6, 1e-3, "gradient");
    }
}

#[test]
fn absent_classes_are_background_and_have_no_gradient() {
    tch::manual_seed(5);
    let options = (Kind::Float, Device::Cpu);
    let logits = Tensor::randn([2, 4, 3, 5], options).set_requires_grad(true);
    let target = Tensor::randint_low(0, 2, [2, 1, 3, 5], options);
    // Only class 1 was annotated in the second sample.
    let present = Tensor::from_slice(&[true, true, true, true, true, true, false, false]).reshape([2, 4]);
    let merged = merge_absent(&logits, &present).expect("logits");
    let p = logits.softmax(1, Kind::Float);
    let found = merged.softmax(1, Kind::Float);
    assert!((found.get(0) - p.get(0)).abs().max().double_value(&[]) < 1e-6);
    let (second, expected) = (found.get(1), p.get(1));
    let background = expected.get(0) + expected.get(2) + expected.get(3);
    assert!((second.get(0) - background).abs().max().double_value(&[]) < 1e-6);
    assert!((second.get(1) - expected.get(1)).abs().max().double_value(&[]) < 1e-6);
    assert_eq!(second.slice(0, 2, 4, 1).sum(Kind::Float).double_value(&[]), 0.0);
    for batch_dice in [true, false] {
        for (name, backend) in BACKENDS {
            let loss =
                Loss::new(&LossRecipe::default(), None, batch_dice, vec![1.0], Device::Cpu).expect("a loss");
            let value = backend(&loss, &merged, &target, None).expect("a loss");
            assert!(value.double_value(&[]).is_finite(), "{name}");
            let gradient = Tensor::run_backward(&[value], &[&logits], true, false).remove(0);
            assert!(gradient.isfinite().all().int64_value(&[]) == 1, "{name}");
            // Moving probability between the background and an absent class changes nothing: their gradients are
            // in the ratio of their probabilities.
            let (g, p) = (gradient.get(1), p.get(1));
            let difference = g.get(2) * p.get(0) - g.get(0) * p.get(2);
            assert!(difference.abs().max().double_value(&[]) < 1e-6, "{name}");
        }
    }
}
