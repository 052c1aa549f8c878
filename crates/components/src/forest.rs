//! Union-find over runs.

use std::ops::Range;

use rayon::prelude::*;

use crate::connectivity::Connectivity;
use crate::runs::Run;
use crate::Error;

/// Union-find over all runs. A root is the first run of its component.
pub(crate) struct Forest {
    parent: Vec<u32>,
    /// Index of each row's first run.
    pub(crate) first: Vec<usize>,
}

impl Forest {
    pub(crate) fn new(rows: &[Box<[Run]>]) -> Result<Self, Error> {
        let mut first = Vec::with_capacity(rows.len());
        let mut count = 0;
        for row in rows {
            first.push(count);
            count += row.len();
        }
        let end = u32::try_from(count).map_err(|_| Error::TooManyRuns { found: count })?;
        let mut parent = vec![0; count];
        run::prefer_large_pages(&mut parent);
        for (run, parent) in (0..end).zip(&mut parent) {
            *parent = run;
        }
        Ok(Self { parent, first })
    }

    /// Joins touching runs of neighbouring rows if `matches` holds. `matches` receives the row and the start
    /// of both runs.
    ///
    /// Each thread joins the runs of its own rows. Then the rows at the borders are joined. The roots do not depend on
    /// the order.
    pub(crate) fn join_all(
        &mut self,
        rows: &[Box<[Run]>],
        height: usize,
        connectivity: Connectivity,
        matches: impl Fn([usize; 2], [usize; 2]) -> bool + Sync,
    ) {
        let reach = u32::from(connectivity == Connectivity::Full);
        // Rows of a thread: slices enough that few are at borders.
        let slices = (rows.len() / height).div_ceil(rayon::current_num_threads());
        let length = slices.max(8) * height;
        let first = &self.first;
        let mut parts = Vec::new();
        let mut rest = self.parent.as_mut_slice();
        for start in (0..rows.len()).step_by(length) {
            let end = (start + length).min(rows.len());
            let base = first[start];
            let count = first.get(end).map_or(rest.len(), |next| next - base);
            let (parent, later) = rest.split_at_mut(count);
            rest = later;
            parts.push((
                start..end,
                Part {
                    parent,
                    base,
                    pairs: Vec::new(),
                },
            ));
        }
        let join = |part: &mut Part<'_>, row: usize, others: Range<usize>| {
            for other in earlier(row, height, connectivity).filter(|other| others.contains(other)) {
                part.join_rows(
                    [&rows[row], &rows[other]],
                    [first[row], first[other]],
                    reach,
                    |one, two| matches([row, one], [other, two]),
                );
            }
        };
        parts.par_iter_mut().for_each(|(own, part)| {
            for row in own.clone() {
                join(part, row, own.clone());
            }
        });
        let starts: Vec<usize> = parts.iter().skip(1).map(|(own, _)| own.start).collect();
        let mut whole = Part {
            parent: &mut self.parent,
            base: 0,
            pairs: Vec::new(),
        };
        for start in starts {
            // The neighbours of later rows are in the same part.
            for row in start..(start + height + 1).min(rows.len()) {
                join(&mut whole, row, 0..start);
            }
        }
    }

    /// Returns the component number of each run, and the number of components.
    pub(crate) fn numbers(&self) -> (Vec<u32>, usize) {
        let mut numbers = vec![0; self.parent.len()];
        run::prefer_large_pages(&mut numbers);
        let mut count = 0;
        for (run, parent) in self.parent.iter().enumerate() {
            // A parent comes before its runs, so that it already has a number.
            numbers[run] = if *parent as usize == run {
                count += 1;
                count
            } else {
                numbers[*parent as usize]
            };
        }
        (numbers, count as usize)
    }
}

/// Earlier rows next to a row.
fn earlier(row: usize, height: usize, connectivity: Connectivity) -> impl Iterator<Item = usize> {
    // (slices back, rows back)
    let neighbours: &[(usize, isize)] = match connectivity {
        Connectivity::Face => &[(0, 1), (1, 0)],
        Connectivity::Full => &[(0, 1), (1, -1), (1, 0), (1, 1)],
    };
    let (z, y) = (row / height, row % height);
    neighbours.iter().filter_map(move |&(slices, back)| {
        let other = y.checked_add_signed(-back).filter(|other| *other < height)?;
        Some(z.checked_sub(slices)? * height + other)
    })
}

/// The runs of consecutive rows.
struct Part<'a> {
    parent: &'a mut [u32],
    /// Index of the first run.
    base: usize,
    /// Touching runs of two rows.
    pairs: Vec<(u32, u32)>,
}

impl Part<'_> {
    /// Joins the runs of two rows that overlap, or whose gap is less than `reach`, if `matches` holds for their starts.
    /// `first` has the index of each row's first run.
    fn join_rows(
        &mut self,
        [a, b]: [&[Run]; 2],
        first: [usize; 2],
        reach: u32,
        matches: impl Fn(usize, usize) -> bool,
    ) {
        if a.is_empty() || b.is_empty() {
            return;
        }
        if self.pairs.len() < a.len() + b.len() {
            self.pairs.resize(a.len() + b.len(), (0, 0));
        }
        let (mut i, mut j) = (0, 0);
        let mut found = 0;
        // Whether two runs touch, and which ends first, cannot be predicted: this loop has no branch on it.
        while i < a.len() && j < b.len() {
            let touch = (a[i].0 < b[j].1 + reach) & (b[j].0 < a[i].1 + reach);
            self.pairs[found] = (i as u32, j as u32);
            found += usize::from(touch);
            // The run that ends first cannot touch any later run.
            let earlier = a[i].1 < b[j].1;
            i += usize::from(earlier);
            j += usize::from(!earlier);
        }
        let [one, two] = first.map(|first| first - self.base);
        for at in 0..found {
            let (i, j) = self.pairs[at];
            let (i, j) = (i as usize, j as usize);
            if self.parent[one + i] != self.parent[two + j] && matches(a[i].0 as usize, b[j].0 as usize) {
                self.join(one + i, two + j);
            }
        }
    }

    /// The root of a run, as an index in `parent`.
    fn root(&mut self, mut run: usize) -> usize {
        loop {
            let parent = self.parent[run] as usize - self.base;
            if parent == run {
                return run;
            }
            let grandparent = self.parent[parent];
            self.parent[run] = grandparent;
            run = grandparent as usize - self.base;
        }
    }

    fn join(&mut self, one: usize, two: usize) {
        let (one, two) = (self.root(one), self.root(two));
        self.parent[one.max(two)] = (one.min(two) + self.base) as u32;
    }
}
