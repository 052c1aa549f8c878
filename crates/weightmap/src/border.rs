//! Weight by the distance to the nearest inside voxel.

/// The border term `w0 · exp(-d² / 2σ²)` as a function of d².
pub(crate) struct Gaussian {
    w0: f64,
    /// `-1 / 2σ²`.
    rate: f64,
    /// The term for every whole d², if they are few. The last value is 0.
    table: Vec<f64>,
}

/// Maximum number of table entries, so that the table stays in the cache.
const TABLE: f64 = 65536.0;

impl Gaussian {
    pub(crate) fn new(sigma: f64, w0: f64) -> Self {
        Self {
            w0,
            rate: -1.0 / (2.0 * sigma * sigma),
            table: Vec::new(),
        }
    }

    /// Returns the distance above which the term is below the resolution of weights of at least `least`,
    /// stored with `bits` bits. The result is at least 0.
    pub(crate) fn bound(&self, least: f32, bits: i32) -> f64 {
        // Two additional bits keep the rounding unchanged.
        let threshold = f64::from(least) * 2f64.powi(-bits - 2);
        ((self.w0 / threshold).ln() / -self.rate).max(0.0).sqrt()
    }

    /// Tabulates the term for whole squared distances up to `bound`, unless there are too many.
    pub(crate) fn tabulate(&mut self, bound: f64) {
        let last = (bound * bound).floor() + 1.0;
        if last <= TABLE {
            self.table = (0..=last as usize).map(|d2| self.at(d2 as f64)).collect();
            // There is no border inside an object, or above the bound.
            self.table[0] = 0.0;
            self.table[last as usize] = 0.0;
        }
    }

    /// Computes the term at squared distance `d2`.
    #[inline(always)]
    pub(crate) fn at(&self, d2: f64) -> f64 {
        self.w0 * (d2 * self.rate).exp()
    }

    /// Returns the term of a voxel at squared distance `d2`; 0 inside an object.
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
