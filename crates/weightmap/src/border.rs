//! Weight from the distance to the nearest inside voxel.

/// `w0 · exp(-d² / 2σ²)` as a function of d².
pub(crate) struct Gaussian {
    w0: f64,
    /// `-1 / 2σ²`.
    rate: f64,
    /// The term for every whole d², where those are few; the last is 0.
    table: Vec<f64>,
}

/// The most entries of a table that stays in cache.
const TABLE: f64 = 65536.0;

impl Gaussian {
    pub(crate) fn new(sigma: f64, w0: f64) -> Self {
        Self {
            w0,
            rate: -1.0 / (2.0 * sigma * sigma),
            table: Vec::new(),
        }
    }

    /// The distance from which the term is below the resolution of weights that are `least` or more, when `bits` of them
    /// are kept; at least 0.
    pub(crate) fn bound(&self, least: f32, bits: i32) -> f64 {
        // Two bits more, so that it does not change the rounding either.
        let threshold = f64::from(least) * 2f64.powi(-bits - 2);
        ((self.w0 / threshold).ln() / -self.rate).max(0.0).sqrt()
    }

    /// Tabulates the term for whole squared distances up to `bound`, unless that is too many.
    pub(crate) fn tabulate(&mut self, bound: f64) {
        let last = (bound * bound).floor() + 1.0;
        if last <= TABLE {
            self.table = (0..=last as usize).map(|d2| self.at(d2 as f64)).collect();
            // Inside an object, and beyond the bound, there is no border.
            self.table[0] = 0.0;
            self.table[last as usize] = 0.0;
        }
    }

    /// The term at squared distance `d2`, by the formula.
    #[inline(always)]
    pub(crate) fn at(&self, d2: f64) -> f64 {
        self.w0 * (d2 * self.rate).exp()
    }

    /// The term of a voxel at squared distance `d2`, 0 inside.
    #[inline(always)]
    pub(crate) fn border(&self, d2: f32) -> f64 {
        if let Some(last) = self.table.len().checked_sub(1) {
            self.table[(d2 as usize).min(last)]
        } else if d2 > 0.0 {
            self.at(f64::from(d2))
        } else {
            0.0
        }
    }
}
