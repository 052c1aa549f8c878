//! Compares training steps with the recorded ones.

use ndarray::ArrayD;
use tch::{Device, Kind, Tensor};

use crate::loss::{deep_supervision_weights, Loss};
use crate::network::{GenericUNet, Heads, State};
use crate::optimizer::Sgd;
use crate::Recipe;

/// The recorded series of training steps: losses, gradient norms, gradients and final parameters.
#[test]
fn steps_equal_the_reference() {
    let all = testkit::cases("network", "train");
    let mut compared = 0;
    for case in all.iter().filter(|c| c.file.ends_with("_data.npz")) {
        let p = &case.parameters;
        let arrays = case.arrays();
        let state = |part: &str| -> Option<State> {
            let name = case.file.replace("_data", part);
            let found = all.iter().find(|c| c.file == name)?;
            Some(
                found
                    .arrays()
                    .into_iter()
                    .map(|(n, v)| (n, v.mapv(|v| v as f32)))
                    .collect(),
            )
        };
        let shape = crate::network::tests::architecture(p);
        let outputs = shape.pools.len();
        let network = GenericUNet::from_state(shape, &state("_state_init").unwrap(), Device::Cpu).unwrap();
        let scales = deep_supervision_weights(outputs);
        let batch_dice = p["batch_dice"].as_bool().unwrap();
        let loss = Loss::new(&Recipe::default().loss, None, batch_dice, scales, Device::Cpu).unwrap();
        let mut sgd = Sgd::new(network.parameters().len());
        let tensor =
            |name: String| crate::tensor::from_array(&arrays[&name].mapv(|v| v as f32).view()).unwrap();
        // With clipped gradients, float32 and float64 differ by 2e-3 in the reference itself.
        let clip = p["clip"].as_f64().unwrap();
        let clipped = arrays["grad_norms"].iter().any(|&norm| norm > clip);
        let tolerance = if clipped { 8e-3 } else { 2e-5 };
        for step in 0..arrays["losses"].len() {
            let mut weights = network.weights(Kind::Float).unwrap();
            let heads = Heads::Finest(loss.outputs());
            let logits = network
                .forward(&tensor(format!("input_{step}")), &weights, heads)
                .unwrap();
            let targets: Vec<Tensor> = (0..outputs)
                .map(|i| tensor(format!("target_{step}_{i}")))
                .collect();
            let value = loss.evaluate(&logits, &targets, None).unwrap();
            let what = format!("{} step {step}", case.file);
            let (found, expected) = (value.double_value(&[]), arrays["losses"][[step]]);
            assert!(
                (found - expected).abs() < tolerance,
                "{what}: loss {found} {expected}"
            );
            let gradients = network.gradients(&value, &mut weights).unwrap();
            if let Some(expected) = state("_grad_step0").filter(|_| step == 0) {
                for (name, gradient) in network.names().zip(gradients.iter()) {
                    let expected = expected
                        .iter()
                        .find(|(n, _)| n.ends_with(name))
                        .unwrap()
                        .1
                        .mapv(f64::from);
                    assert_eq!(gradient.defined(), !expected.is_empty(), "{name}");
                    if gradient.defined() {
                        let found = crate::tensor::to_array(gradient).unwrap().mapv(f64::from);
                        let whole = arrays["grad_norms"][[step]];
                        assert_same_gradient(
                            &found,
                            &expected,
                            whole,
                            &format!("{what}: gradient of {name}"),
                        );
                    }
                }
            }
            let norm = sgd
                .step(network.parameters(), &gradients, arrays["lrs"][[step]])
                .unwrap();
            let expected = arrays["grad_norms"][[step]];
            assert!(
                (norm - expected).abs() < tolerance * (1.0 + expected),
                "{what}: norm {norm} {expected}"
            );
        }
        for ((name, found), (_, expected)) in network
            .state()
            .unwrap()
            .iter()
            .map(|(n, v)| (n, v))
            .zip(ordered(&network, state("_state_final").unwrap()))
        {
            let (found, expected) = (found.mapv(f64::from), expected.mapv(f64::from));
            testkit::assert_close(
                &found,
                &expected,
                tolerance,
                1e-4,
                &format!("{} {name}", case.file),
            );
        }
        compared += 1;
    }
    assert!(compared > 0);
}

/// Compares by the norm of the difference; `whole` is the norm of all gradients. An element-wise comparison
/// would need more than float32 precision: a pre-activation within rounding of 0 selects the other slope of
/// the leaky ReLU and changes single elements strongly.
fn assert_same_gradient(found: &ArrayD<f64>, expected: &ArrayD<f64>, whole: f64, what: &str) {
    assert_eq!(found.shape(), expected.shape(), "{what}: shape");
    let norm = |values: &ArrayD<f64>| values.mapv(|v| v * v).sum().sqrt();
    let (error, size) = (norm(&(found - expected)), norm(expected));
    // The true gradient of a bias before a normalisation is 0: both values are rounding errors relative to
    // all gradients.
    let rounding = 2e-6 * (expected.len() as f64).sqrt() * whole.max(1.0);
    assert!(error <= 1e-3 * size + rounding, "{what}: {error} of {size}");
}

/// A state in the network's order; recordings are sorted by name.
fn ordered(network: &GenericUNet, state: State) -> State {
    network
        .names()
        .map(|name| state.iter().find(|(n, _)| n == name).unwrap().clone())
        .collect()
}
