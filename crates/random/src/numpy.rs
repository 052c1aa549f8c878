//! numpy's legacy random generator (`numpy.random.RandomState`), draw for draw.
//!
//! nnU-Net uses it for splits and class locations, so equal files need equal draws. The Mersenne Twister is
//! MT19937 of Matsumoto and Nishimura (1998). Bounded integers are drawn by masking and rejection, as in
//! `RandomState`.

const N: usize = 624;
const M: usize = 397;

/// MT19937 as `numpy.random.RandomState(seed)` uses it.
#[derive(Clone)]
pub struct RandomState {
    key: [u32; N],
    at: usize,
}

impl RandomState {
    /// `numpy.random.RandomState(seed)`.
    pub fn new(seed: u32) -> Self {
        let mut key = [0; N];
        let mut last = seed;
        for (i, word) in key.iter_mut().enumerate() {
            if i > 0 {
                last = 1_812_433_253u32
                    .wrapping_mul(last ^ (last >> 30))
                    .wrapping_add(i as u32);
            }
            *word = last;
        }
        Self { key, at: N }
    }

    fn refill(&mut self) {
        for i in 0..N {
            let bits = (self.key[i] & 0x8000_0000) | (self.key[(i + 1) % N] & 0x7fff_ffff);
            let twist = if bits & 1 == 1 { 0x9908_b0df } else { 0 };
            self.key[i] = self.key[(i + M) % N] ^ (bits >> 1) ^ twist;
        }
        self.at = 0;
    }

    /// The next 32 random bits.
    pub fn next_u32(&mut self) -> u32 {
        if self.at == N {
            self.refill();
        }
        let mut word = self.key[self.at];
        self.at += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }

    /// `random_sample()`: uniform in [0, 1) with 53 bits.
    pub fn random_sample(&mut self) -> f64 {
        let (high, low) = (self.next_u32() >> 5, self.next_u32() >> 6);
        (f64::from(high) * 67_108_864.0 + f64::from(low)) / 9_007_199_254_740_992.0
    }

    /// `uniform(low, high)`.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.random_sample()
    }

    /// Uniform in 0..=`most`: numpy's `random_interval`.
    pub fn interval(&mut self, most: u64) -> u64 {
        if most == 0 {
            return 0;
        }
        let mask = u64::MAX >> most.leading_zeros();
        loop {
            let draw = match u32::try_from(most) {
                Ok(_) => u64::from(self.next_u32()),
                Err(_) => u64::from(self.next_u32()) << 32 | u64::from(self.next_u32()),
            };
            if draw & mask <= most {
                return draw & mask;
            }
        }
    }

    /// `randint(low, high)`: uniform in `low..high`; `low` for an empty range, for which numpy raises an
    /// error.
    pub fn randint(&mut self, low: i64, high: i64) -> i64 {
        let range = high.saturating_sub(1).saturating_sub(low);
        match u64::try_from(range) {
            // numpy draws exactly these 32 bits without a mask.
            Ok(most) if most == u64::from(u32::MAX) => low + i64::from(self.next_u32()),
            Ok(most) => low.wrapping_add(self.interval(most) as i64),
            Err(_) => low,
        }
    }

    /// `shuffle(items)`: Fisher-Yates from the end.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = self.interval(i as u64) as usize;
            items.swap(i, j);
        }
    }

    /// `permutation(n)`: the numbers below `n` in random order.
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut items: Vec<usize> = (0..n).collect();
        self.shuffle(&mut items);
        items
    }

    /// `choice(n, count, replace=False)`: at most `n` distinct numbers below `n`.
    pub fn choice(&mut self, n: usize, count: usize) -> Vec<usize> {
        let mut items = self.permutation(n);
        items.truncate(count);
        items
    }

    /// `choice(n)`: one number below `n`.
    pub fn choose(&mut self, n: usize) -> usize {
        self.randint(0, n as i64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERMUTATION_1234: [usize; 10] = [7, 2, 9, 1, 0, 8, 4, 5, 6, 3];
    const CHOICE_AFTER: [usize; 5] = [815, 496, 322, 623, 473];
    const RANDINT_AFTER: [i64; 6] = [824, 83, 152, 952, 880, 596];
    const SAMPLES_AFTER: [f64; 2] = [0.9021407473639402, 2.0847482414956446];
    const WIDE_AFTER: [i64; 3] = [1029354452751, 15656362, 7];
    const LATE: i64 = 2054458015;

    // Recorded with numpy 1.26.4; equal in every numpy since 1.0, as its policy for RandomState promises.
    #[test]
    fn equals_numpy() {
        let mut random = RandomState::new(1234);
        assert_eq!(random.permutation(10), PERMUTATION_1234);
        assert_eq!(random.choice(1000, 5), CHOICE_AFTER);
        let ints: Vec<i64> = (0..6).map(|_| random.randint(-5, 1000)).collect();
        assert_eq!(ints, RANDINT_AFTER);
        assert_eq!([random.random_sample(), random.uniform(-1.0, 3.0)], SAMPLES_AFTER);
        assert_eq!(
            [
                random.randint(0, 1 << 40),
                random.randint(0, 1 << 32),
                random.randint(7, 8)
            ],
            WIDE_AFTER
        );
        assert_eq!(random.choice(3, 9).len(), 3);
        let mut words = RandomState::new(u32::MAX);
        (0..2000).for_each(|_| {
            words.next_u32();
        });
        assert_eq!(words.randint(0, 1 << 31), LATE);
    }
}
