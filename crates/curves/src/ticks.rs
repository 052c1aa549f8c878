//! Ticks of an axis.

/// A tick of an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Its value.
    pub value: f64,
    /// Its value as text, with as many digits as tell the ticks apart.
    pub label: String,
}

/// Ticks at multiples of 1, 2 or 5 times a power of ten, from `low` to `high`: as many as possible, but at
/// most `most`. With `whole`, they are whole numbers. No ticks if the range is empty or not finite, or
/// narrower than the precision of its ends.
#[must_use]
pub fn ticks(low: f64, high: f64, most: usize, whole: bool) -> Vec<Tick> {
    let span = high - low;
    let size = low.abs().max(high.abs());
    if !(span.is_finite() && span > size * 1e-9 && size < 1e200 && span > 1e-200) || most == 0 {
        return Vec::new();
    }
    let mut power = (span / most as f64).log10().floor() as i32 - 1;
    if whole {
        power = power.max(0);
    }
    loop {
        for factor in [1.0, 2.0, 5.0] {
            let first = (low / scaled(factor, power)).ceil();
            let last = (high / scaled(factor, power)).floor();
            if last - first < most as f64 {
                let count = (last - first).max(-1.0) as i64 + 1;
                let values = (0..count).map(|i| scaled((first + i as f64) * factor, power));
                // Rounding may put the outermost ones just outside.
                let inside = values.filter(|v| (low..=high).contains(v));
                return inside
                    .map(|value| Tick {
                        value,
                        label: label(value, size, power),
                    })
                    .collect();
            }
        }
        power += 1;
    }
}

/// `number` times a power of ten, rounded once where the power is exact.
fn scaled(number: f64, power: i32) -> f64 {
    if power < 0 {
        number / 10f64.powi(-power)
    } else {
        number * 10f64.powi(power)
    }
}

/// A value with all digits down to the power of ten of the step.
fn label(value: f64, size: f64, power: i32) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if size >= 1e6 || power < -5 {
        let digits = (value.abs().log10().floor() as i32 - power).max(0);
        return format!("{value:.*e}", digits as usize);
    }
    format!("{value:.*}", (-power).max(0) as usize)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(low: f64, high: f64, most: usize, whole: bool) -> Vec<String> {
        let found = ticks(low, high, most, whole);
        found.into_iter().map(|t| t.label).collect()
    }

    #[test]
    fn ranges_of_losses_and_epochs_have_round_ticks() {
        assert_eq!(
            labels(0.0, 1.0, 6, false),
            ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"].map(|l| l.replace("0.0", "0"))
        );
        assert_eq!(
            labels(-0.93, 0.61, 8, false),
            ["-0.8", "-0.6", "-0.4", "-0.2", "0", "0.2", "0.4", "0.6"]
        );
        assert_eq!(labels(0.0, 2.0, 10, true), ["0", "1", "2"]);
        assert_eq!(labels(0.0, 999.0, 6, true), ["0", "200", "400", "600", "800"]);
        assert_eq!(labels(0.0, 3e7, 4, false), ["0", "1e7", "2e7", "3e7"]);
    }

    #[test]
    fn a_range_without_width_has_no_ticks() {
        for (low, high) in [(1.0, 1.0), (2.0, 1.0), (0.0, f64::INFINITY), (f64::NAN, 1.0)] {
            assert_eq!(ticks(low, high, 8, false), []);
        }
        assert_eq!(ticks(0.0, 1.0, 0, false), []);
    }

    proptest! {
        #[test]
        fn ticks_are_few_round_evenly_spaced_and_inside(
            middle in -1e6f64..1e6, log_span in -3.0f64..9.0, most in 8usize..20, whole in any::<bool>(),
        ) {
            let span = 10f64.powf(log_span);
            let (low, high) = (middle - span / 2.0, middle + span / 2.0);
            let found = ticks(low, high, most, whole);
            prop_assert!(found.len() <= most);
            if !whole || span >= 8.0 {
                prop_assert!(found.len() >= 2, "{found:?}");
            }
            for tick in &found {
                prop_assert!((low..=high).contains(&tick.value));
                prop_assert!(!whole || tick.value.fract() == 0.0);
                let read: f64 = tick.label.parse().unwrap();
                prop_assert!((read - tick.value).abs() <= 1e-9 * span, "{} {}", read, tick.value);
            }
            if let [first, second, ..] = &found[..] {
                let step = second.value - first.value;
                let digit = step / 10f64.powf((step * 1.000_001).log10().floor());
                prop_assert!([1.0, 2.0, 5.0].iter().any(|d| (digit - d).abs() < 1e-4), "{step}");
                for pair in found.windows(2) {
                    prop_assert!((pair[1].value - pair[0].value - step).abs() < 1e-4 * step);
                    prop_assert_ne!(&pair[0].label, &pair[1].label);
                }
                // No smaller round step would fit.
                let finer = if (digit - 5.0).abs() < 1e-4 { step / 2.5 } else { step / 2.0 };
                let count = (high / finer).floor() - (low / finer).ceil() + 1.0;
                prop_assert!(count > most as f64 - 1.0 || (whole && step < 1.5), "{count} {most}");
            }
        }
    }
}
