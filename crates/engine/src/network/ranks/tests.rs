//! Several ranks equal one rank with the same whole batch.

use std::time::Duration;

use tch::Device;

use super::*;
use crate::loss::{deep_supervision_weights, Loss};
use crate::optimizer::Sgd;
use crate::shim::group::tests::ranks;
use crate::{Architecture, Kernels, LossRecipe};
use recipe::DiceWeights;

const LONG: Duration = Duration::from_secs(60);

/// Images of each rank: equal parts, unequal parts, and one image each.
const PARTS: [&[i64]; 3] = [&[2, 2], &[2, 1, 1], &[1, 1, 1, 1]];

/// The first image of rank `rank` and its number of images.
fn part(parts: &[i64], rank: usize) -> (i64, i64) {
    (parts[..rank].iter().sum(), parts[rank])
}

fn values(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.contiguous().flatten(0, -1)).unwrap()
}

/// Logits, labels and weights of a batch of four. The last two images have no annotated voxel, so that a rank of them
/// alone has none.
fn batch() -> [Tensor; 3] {
    let mut random = random::Rng::keyed(1, random::Purpose::TrainingTransform, 0, 0, 0);
    let mut draw = |count: usize| -> Vec<f32> {
        (0..count)
            .map(|_| random::Draw::below(&mut random, 1000) as f32 / 250.0 - 2.0)
            .collect()
    };
    let logits = Tensor::from_slice(&draw(4 * 3 * 24)).reshape([4, 3, 2, 3, 4]);
    let target = Tensor::from_slice(&draw(4 * 24))
        .reshape([4, 1, 2, 3, 4])
        .clamp(-1.0, 1.9)
        .floor()
        + 1.0;
    let _ = target.narrow(0, 2, 2).fill_(-1.0);
    let weight = Tensor::from_slice(&draw(4 * 24)).reshape([4, 1, 2, 3, 4]).abs();
    [logits, target, weight]
}

fn recipes() -> Vec<(LossRecipe, bool)> {
    let plain = LossRecipe::default();
    let mut weighted = LossRecipe::default();
    weighted.set_class_weights(&[0.5, 1.0, 3.0]);
    weighted.ignored_is_background = true;
    let log = LossRecipe {
        log_dice: true,
        smooth: 1.0,
        ..LossRecipe::default()
    };
    let mapped = LossRecipe {
        weight_dice: DiceWeights::Weightmap,
        ..LossRecipe::default()
    };
    let all = [plain, weighted, log, mapped];
    all.into_iter()
        .flat_map(|recipe| [(recipe.clone(), false), (recipe, true)])
        .collect()
}

#[test]
fn the_loss_of_parts_is_that_of_the_whole_batch() {
    for kernels in [Kernels::Fused, Kernels::Composed] {
        for (number, (recipe, batch_dice)) in recipes().into_iter().enumerate() {
            let loss = || {
                let loss = Loss::new(&recipe, Some(-1), batch_dice, vec![1.0], Device::Cpu);
                loss.unwrap().with_kernels(kernels)
            };
            let evaluate = |loss: &Loss, first: i64, count: i64| {
                let [logits, target, weight] =
                    batch().map(|tensor| tensor.narrow(0, first, count).contiguous());
                let logits = logits.set_requires_grad(true);
                let value = loss
                    .evaluate(&[logits.shallow_clone()], &[target], Some(&[weight]))
                    .unwrap();
                value.backward();
                (value.double_value(&[]), values(&logits.grad()))
            };
            let (whole, gradient) = evaluate(&loss(), 0, 4);
            for parts in PARTS {
                let found = ranks(parts.len(), LONG, |group, _| {
                    let (first, count) = part(parts, group.rank());
                    let mut loss = loss();
                    loss.share(group, 4);
                    evaluate(&loss, first, count)
                });
                let what = format!("{kernels:?} recipe {number} batch Dice {batch_dice} parts {parts:?}");
                for (value, _) in &found {
                    assert!(
                        (value - whole).abs() < 1e-6 * (1.0 + whole.abs()),
                        "{what}: {value} {whole}"
                    );
                    assert_eq!(
                        value.to_bits(),
                        found[0].0.to_bits(),
                        "{what}: other bits in another rank"
                    );
                }
                let together: Vec<f32> = found.into_iter().flat_map(|(_, gradient)| gradient).collect();
                for (found, expected) in together.iter().zip(&gradient) {
                    assert!(
                        (found - expected).abs() < 1e-6,
                        "{what}: gradient {found} {expected}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_batch_without_annotation_and_a_loss_that_is_not_finite_are_seen_by_every_rank() {
    for kernels in [Kernels::Fused, Kernels::Composed] {
        let found = ranks(2, LONG, |group, _| {
            let loss = Loss::new(&LossRecipe::default(), Some(-1), true, vec![1.0], Device::Cpu).unwrap();
            let mut loss = loss.with_kernels(kernels);
            loss.share(group, 4);
            let [logits, target, _] = batch().map(|tensor| tensor.narrow(0, 2, 2).contiguous());
            let evaluate = |logits: &Tensor| {
                let value = loss.evaluate(&[logits.shallow_clone()], &[target.shallow_clone()], None);
                value.unwrap().double_value(&[])
            };
            let silent = evaluate(&logits);
            let _ = target.narrow(0, 0, 1).fill_(1.0);
            let factor = if group.rank() == 1 { f64::NAN } else { 1.0 };
            (silent, evaluate(&(logits * factor)))
        });
        for (silent, damaged) in found {
            assert_eq!(silent, 0.0);
            assert!(damaged.is_nan(), "{kernels:?}: {damaged}");
        }
    }
}

/// Losses, and the parameters after some steps.
type Trained = (Vec<f64>, Vec<Vec<f32>>);

fn architecture() -> Architecture {
    Architecture {
        input_channels: 1,
        classes: 3,
        base_features: 4,
        conv_per_stage: 2,
        pools: vec![vec![1, 2, 2], vec![2, 2, 2]],
        kernels: vec![vec![1, 3, 3], vec![3, 3, 3], vec![3, 3, 3]],
    }
}

fn train(kernels: Kernels, kind: Kind, group: Option<&Rc<Group>>, parts: &[i64]) -> Trained {
    let rank = group.map_or(0, |group| group.rank());
    let (first, count) = part(parts, rank);
    let network = GenericUNet::new(architecture(), 3, Device::Cpu)
        .unwrap()
        .with_kernels(kernels);
    let mut weights = network.weights(kind).unwrap();
    let scales = deep_supervision_weights(2);
    let loss = Loss::new(&LossRecipe::default(), None, true, scales, Device::Cpu).unwrap();
    let mut loss = loss.with_kernels(kernels);
    let sums = group.map(|group| RankGradients::new(&network, &weights, loss.outputs(), group).unwrap());
    if let Some(group) = group {
        loss.share(group, 4);
    }
    let mut sgd = Sgd::new(network.parameters().len());
    let mut losses = Vec::new();
    for step in 0..20i64 {
        network.update(&weights).unwrap();
        let line = |factor: i64, modulo: i64| {
            (Tensor::arange(4 * 4 * 8 * 8, (Kind::Float, Device::Cpu)) * (factor + step)).fmod(modulo)
        };
        let of = |tensor: Tensor| {
            tensor
                .reshape([4, 1, 4, 8, 8])
                .narrow(0, first, count)
                .contiguous()
        };
        let (input, target) = (of(line(7, 13) / 13.0), of(line(1, 3).floor()));
        let outputs = network
            .forward(&input, &weights, Heads::Finest(loss.outputs()))
            .unwrap();
        let value = loss.evaluate(&outputs, &[target], None).unwrap();
        let gradients = match &sums {
            Some(sums) => network.summed_gradients(&value, &mut weights, sums),
            None => network.gradients(&value, &mut weights),
        };
        let gradients = gradients.unwrap();
        let detached = value.detach();
        losses.push(detached.double_value(&[]));
        match kernels {
            Kernels::Fused => drop(sgd.step(network.parameters(), &gradients, 0.003).unwrap()),
            Kernels::Composed => {
                let launched = sgd.launch(network.parameters(), &gradients, 0.003, &detached, None);
                drop(launched.unwrap());
            }
        }
    }
    (losses, network.parameters().iter().map(values).collect())
}

#[test]
fn training_in_parts_equals_training_of_the_whole_batch() {
    for kernels in [Kernels::Fused, Kernels::Composed] {
        let (whole, _) = train(kernels, Kind::Float, None, &[4]);
        for parts in PARTS {
            let run = || {
                ranks(parts.len(), LONG, |group, _| {
                    train(kernels, Kind::Float, Some(group), parts)
                })
            };
            let found = run();
            for (losses, parameters) in &found {
                for (step, (found, expected)) in losses.iter().zip(&whole).enumerate() {
                    let what = format!("{kernels:?} {parts:?} step {step}");
                    assert!((found - expected).abs() < 1e-5, "{what}: {found} {expected}");
                }
                assert!(
                    *parameters == found[0].1,
                    "{kernels:?} {parts:?}: the ranks differ"
                );
            }
            assert!(found == run(), "{kernels:?} {parts:?}: another run differs");
        }
    }
}

#[test]
fn ranks_have_the_same_parameters_in_bfloat16() {
    let (whole, _) = train(Kernels::Fused, Kind::BFloat16, None, &[4]);
    let found = ranks(2, LONG, |group, _| {
        train(Kernels::Fused, Kind::BFloat16, Some(group), &[2, 2])
    });
    assert!(found[0] == found[1]);
    for (found, expected) in found[0].0.iter().zip(&whole) {
        assert!((found - expected).abs() < 2e-2, "{found} {expected}");
    }
}
