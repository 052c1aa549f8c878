//! Union-find over runs.

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
    pub(crate) fn new(rows: &[Vec<Run>]) -> Result<Self, Error> {
        let mut first = Vec::with_capacity(rows.len());
        let mut count = 0;
        for row in rows {
            first.push(count);
            count += row.len();
        }
        let end = u32::try_from(count).map_err(|_| Error::TooManyRuns { found: count })?;
        Ok(Self {
            parent: (0..end).collect(),
            first,
        })
    }

    /// Joins touching runs of neighbouring rows if `matches` holds. `matches` receives the row and the start
    /// of both runs.
    pub(crate) fn join_all(
        &mut self,
        rows: &[Vec<Run>],
        height: usize,
        connectivity: Connectivity,
        matches: impl Fn([usize; 2], [usize; 2]) -> bool,
    ) {
        // Earlier neighbours of a row: (slices back, rows back).
        let neighbours: &[(usize, isize)] = match connectivity {
            Connectivity::Face => &[(0, 1), (1, 0)],
            Connectivity::Full => &[(0, 1), (1, -1), (1, 0), (1, 1)],
        };
        let reach = u32::from(connectivity == Connectivity::Full);
        for row in 0..rows.len() {
            let (z, y) = (row / height, row % height);
            for &(slices, back) in neighbours {
                let other = y.checked_add_signed(-back).filter(|other| *other < height);
                if let (Some(z), Some(y)) = (z.checked_sub(slices), other) {
                    self.join_rows(rows, [row, z * height + y], reach, &matches);
                }
            }
        }
    }

    /// Joins the runs of two rows that overlap, or whose gap is less than `reach`.
    fn join_rows(
        &mut self,
        rows: &[Vec<Run>],
        [one, two]: [usize; 2],
        reach: u32,
        matches: impl Fn([usize; 2], [usize; 2]) -> bool,
    ) {
        let (a, b) = (&rows[one], &rows[two]);
        let (mut i, mut j) = (0, 0);
        while i < a.len() && j < b.len() {
            let touch = a[i].0 < b[j].1 + reach && b[j].0 < a[i].1 + reach;
            if touch && matches([one, a[i].0 as usize], [two, b[j].0 as usize]) {
                self.join(self.first[one] + i, self.first[two] + j);
            }
            // The run that ends first cannot touch any later run.
            if a[i].1 < b[j].1 {
                i += 1;
            } else {
                j += 1;
            }
        }
    }

    fn root(&mut self, mut run: u32) -> u32 {
        while self.parent[run as usize] != run {
            let grandparent = self.parent[self.parent[run as usize] as usize];
            self.parent[run as usize] = grandparent;
            run = grandparent;
        }
        run
    }

    fn join(&mut self, one: usize, two: usize) {
        let (one, two) = (self.root(one as u32), self.root(two as u32));
        self.parent[one.max(two) as usize] = one.min(two);
    }

    /// Returns the component number of each run, and the number of components.
    pub(crate) fn numbers(&mut self) -> (Vec<u32>, usize) {
        let mut numbers = vec![0; self.parent.len()];
        let mut count = 0;
        for run in 0..self.parent.len() {
            let root = self.root(run as u32) as usize;
            // The root is the first run of its component, so it already has a number.
            if root == run {
                count += 1;
                numbers[run] = count;
            } else {
                numbers[run] = numbers[root];
            }
        }
        (numbers, count as usize)
    }
}
