//! Lower envelope of parabolas along one line, in linear time for all distances.

use crate::lane::Lane;

/// Reusable buffers of [`Envelope::run`].
#[derive(Default)]
pub(crate) struct Envelope {
    apex: Vec<usize>,
    from: Vec<f64>,
}

impl Envelope {
    /// Writes `min_j line[j] + steps[|i - j|]` for every `i` of `line` to `out`. `s2` is the squared spacing.
    pub(crate) fn run<L: Lane>(&mut self, line: &[L], steps: &[L], s2: f64, out: &mut [L]) {
        self.apex.clear();
        self.from.clear();
        for (j, &value) in line.iter().enumerate() {
            if value >= L::FAR {
                continue;
            }
            let height = |j: usize| f64::from(line[j].to_f32()) / s2 + (j * j) as f64;
            let start = loop {
                let (Some(&last), Some(&from)) = (self.apex.last(), self.from.last()) else {
                    break f64::NEG_INFINITY;
                };
                // Position where this parabola falls below the previous one.
                let cross = (height(j) - height(last)) / (2.0 * (j - last) as f64);
                if cross > from {
                    break cross;
                }
                self.apex.pop();
                self.from.pop();
            };
            self.apex.push(j);
            self.from.push(start);
        }
        let mut i = 0;
        for (k, &j) in self.apex.iter().enumerate() {
            let end = self.from.get(k + 1).map_or(line.len(), |&from| {
                (from.ceil().max(0.0) as usize).min(line.len())
            });
            while i < end {
                out[i] = line[j].plus(steps[i.abs_diff(j)]);
                i += 1;
            }
        }
        out[i..].fill(L::FAR);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn envelope_equals_minimum_over_all_parabolas(
            line in prop::collection::vec(prop_oneof![3 => 0u16..2000, 1 => Just(u16::FAR)], 1..70),
        ) {
            let steps = u16::steps(line.len(), 1.0);
            let mut found = vec![0; line.len()];
            Envelope::default().run(&line, &steps, 1.0, &mut found);
            for i in 0..line.len() {
                let expected = (0..line.len()).map(|j| line[j].plus(steps[i.abs_diff(j)])).min();
                prop_assert_eq!(Some(found[i]), expected);
            }
        }
    }
}
