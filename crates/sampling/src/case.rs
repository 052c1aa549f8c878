//! An opened preprocessed case, for reading patches.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use volume::UNLABELLED;

use crate::boxes::PatchBox;
use crate::cache::PackedCache;
use crate::error::{Error, ShapeMismatch};
use crate::grid::{Grid, Rows};
use crate::meaning::Meaning;

/// An ignored label in [`Case::for_each_slice`]: annotated under no [`Meaning`].
pub(crate) const IGNORED: i16 = i16::MIN;

/// Location and reading mode of the files of a preprocessed folder.
#[derive(Clone, Debug)]
pub struct StageFolder {
    /// Folder with `<case>.npz` or `<case>.npy`, and `<case>_weightmap.npy`.
    pub folder: PathBuf,
    /// Folder with `<case>_segFromPrevStage.npz`, for the second stage of a cascade.
    pub previous_stage: Option<PathBuf>,
    /// Whether weightmaps are read.
    pub weightmaps: bool,
    /// Cache for reading npz files; without it, npy files are mapped.
    pub packed: Option<Arc<PackedCache>>,
    /// Labels on disk that count as unlabelled, besides -1.
    pub ignored: Vec<i16>,
}

impl StageFolder {
    /// The file with the image channels and, last, the segmentation.
    pub fn stack(&self, case: &str) -> PathBuf {
        self.array(&self.folder, case)
    }

    /// The case's weightmap.
    pub fn weightmap(&self, case: &str) -> PathBuf {
        self.folder.join(format!("{case}_weightmap.npy"))
    }

    fn array(&self, folder: &Path, stem: &str) -> PathBuf {
        folder.join(format!(
            "{stem}.{}",
            if self.packed.is_some() { "npz" } else { "npy" }
        ))
    }

    fn open(&self, case: &str, path: &Path) -> Result<Grid, Error> {
        let grid = match &self.packed {
            Some(cache) => Grid::packed(path, cache),
            None => Grid::map(path).map_err(Arc::new),
        };
        grid.map_err(|source| Error::file(case, source))
    }
}

/// An opened case: image channels, segmentation, and optionally weightmap and previous stage.
pub struct Case {
    name: String,
    path: PathBuf,
    shape: [usize; 3],
    channels: usize,
    stack: Grid,
    weights: Option<Grid>,
    previous: Option<Grid>,
    meaning: Meaning,
    ignored: Vec<i16>,
}

impl Case {
    /// Opens a case.
    ///
    /// # Errors
    /// [`Error::MissingCase`], [`Error::CaseFile`], [`Error::CaseShape`]. [`Case::open_weights`] opens the
    /// weightmap.
    pub fn open(name: &str, stage: &StageFolder, meaning: Meaning) -> Result<Self, Error> {
        let path = stage.stack(name);
        if !path.is_file() {
            return Err(Error::MissingCase {
                case: name.to_owned(),
                folder: stage.folder.clone(),
            });
        }
        let stack = stage.open(name, &path)?;
        let wrong = |path: &Path, found: &[usize], expected: String| Error::CaseShape {
            case: name.to_owned(),
            path: path.to_owned(),
            found: found.to_vec(),
            expected,
        };
        let (channels, shape) = match *stack.shape() {
            // A single slice, as in some 2D datasets.
            [c, y, x] => (c, [1, y, x]),
            [c, z, y, x] => (c, [z, y, x]),
            ref other => return Err(wrong(&path, other, "(channel, z, y, x)".to_owned())),
        };
        if channels < 2 || shape.contains(&0) {
            let expected = "at least one image channel and, last, the segmentation".to_owned();
            return Err(wrong(&path, stack.shape(), expected));
        }
        let previous = match &stage.previous_stage {
            None => None,
            Some(folder) => {
                let path = stage.array(folder, &format!("{name}_segFromPrevStage"));
                let grid = stage.open(name, &path)?;
                let dims = grid.shape();
                let fits = dims == shape || (shape[0] == 1 && dims == &shape[1..]);
                if !fits {
                    return Err(wrong(&path, dims, format!("{shape:?}, the case's own")));
                }
                Some(grid)
            }
        };
        let channels = channels - 1;
        Ok(Self {
            name: name.to_owned(),
            path,
            shape,
            channels,
            stack,
            weights: None,
            previous,
            meaning,
            ignored: stage.ignored.clone(),
        })
    }

    /// Opens the case's weightmap, `(1, z, y, x)` in float16, float32 or float64. [`Case::read`] then reads
    /// it.
    ///
    /// # Errors
    /// [`Error::Weightmaps`] if it is missing or has another shape; [`Error::CaseFile`].
    pub fn open_weights(&mut self, stage: &StageFolder) -> Result<(), Error> {
        let path = stage.weightmap(&self.name);
        if !path.is_file() {
            return Err(Error::Weightmaps {
                folder: stage.folder.clone(),
                missing: vec![self.name.clone()],
                mismatched: Vec::new(),
            });
        }
        let grid = Grid::map(&path).map_err(|source| Error::file(&self.name, source))?;
        let mut expected = self.stack.shape().to_vec();
        expected[0] = 1;
        if grid.shape() != expected {
            let (case, found) = (self.name.clone(), grid.shape().to_vec());
            let mismatched = vec![ShapeMismatch {
                case,
                found,
                expected,
            }];
            return Err(Error::Weightmaps {
                folder: stage.folder.clone(),
                missing: Vec::new(),
                mismatched,
            });
        }
        self.weights = Some(grid);
        Ok(())
    }

    /// The case's identifier.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file of image and segmentation.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Voxels on each axis (z, y, x).
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// Number of image channels.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Channels of the segmentation in [`Case::read`]: 2 with a previous stage, else 1.
    pub fn label_channels(&self) -> usize {
        1 + usize::from(self.previous.is_some())
    }

    /// Meaning of -1 in this case.
    pub fn meaning(&self) -> Meaning {
        self.meaning
    }

    /// Labels on disk that count as unlabelled, besides -1.
    pub(crate) fn ignored(&self) -> &[i16] {
        &self.ignored
    }

    /// Calls `each` with every slice of the segmentation as on disk, with [`IGNORED`] for ignored labels.
    pub(crate) fn for_each_slice(&self, mut each: impl FnMut(&[f32])) -> Result<(), Error> {
        let area = self.shape[1] * self.shape[2];
        let mut slice = vec![0.0; area];
        let first = self.channels * self.shape[0] * area;
        let read = |rows: &dyn Rows| {
            for z in 0..self.shape[0] {
                rows.copy(first + z * area, &mut slice);
                for value in slice.iter_mut().filter(|_| !self.ignored.is_empty()) {
                    if self.ignored.contains(&(*value as i16)) {
                        *value = f32::from(IGNORED);
                    }
                }
                each(&slice);
            }
        };
        self.stack
            .with(read)
            .map_err(|source| Error::file(&self.name, source))
    }

    /// Reads the voxels of a box: `image` (channel, z, y, x), `labels` ([`Case::label_channels`], z, y, x)
    /// and, with a weightmap, `weights` (z, y, x). Labels are mapped by [`Meaning::label`], and ignored ones become -1.
    /// Outside the case,
    /// the image is 0, the segmentation -1, the previous stage's segmentation 0 and the weight 0. Only the
    /// rows of the box are read.
    ///
    /// # Errors
    /// [`Error::WeightmapValue`]; [`Error::CaseFile`] if an npz file cannot be decompressed again.
    pub fn read(
        &self,
        window: &PatchBox,
        image: &mut [f32],
        labels: &mut [i16],
        weights: Option<&mut [f32]>,
    ) -> Result<(), Error> {
        let failed = |source| Error::file(&self.name, source);
        let window = Window {
            shape: self.shape,
            window,
            voxels: window.voxels(),
        };
        let (labels, previous_labels) = labels.split_at_mut(window.voxels);
        let read = |rows: &dyn Rows| {
            for (c, channel) in image.chunks_exact_mut(window.voxels).enumerate() {
                window.copy(channel, 0.0, |start, row| {
                    rows.copy(c * window.case_voxels() + start, row)
                });
            }
            let first = self.channels * window.case_voxels();
            window.copy(labels, UNLABELLED, |start, row| {
                rows.copy_labels(first + start, row);
                if self.meaning == Meaning::Dense {
                    row.iter_mut()
                        .for_each(|label| *label = self.meaning.label(*label));
                }
                if !self.ignored.is_empty() {
                    let ignored = row.iter_mut().filter(|label| self.ignored.contains(label));
                    ignored.for_each(|label| *label = UNLABELLED);
                }
            });
        };
        self.stack.with(read).map_err(failed)?;
        if let Some(previous) = &self.previous {
            let read =
                |rows: &dyn Rows| window.copy(previous_labels, 0, |start, row| rows.copy_labels(start, row));
            previous.with(read).map_err(failed)?;
        }
        if let (Some(out), Some(grid)) = (weights, &self.weights) {
            grid.with(|rows| window.copy(out, 0.0, |start, row| rows.copy(start, row)))
                .map_err(failed)?;
            if let Some(at) = out.iter().position(|weight| !(0.0..=f32::MAX).contains(weight)) {
                let value = out[at].to_string();
                return Err(Error::WeightmapValue {
                    case: self.name.clone(),
                    value,
                    voxel: window.row_of(at),
                });
            }
        }
        Ok(())
    }
}

/// The overlap of a box and a case.
struct Window<'a> {
    shape: [usize; 3],
    window: &'a PatchBox,
    voxels: usize,
}

impl Window<'_> {
    fn case_voxels(&self) -> usize {
        self.shape.iter().product()
    }

    /// Fills `out` row by row: `read(start, row)` gets the flat index of the row's first voxel in the case.
    /// Voxels outside the case become `padding`.
    fn copy<T: Copy>(&self, out: &mut [T], padding: T, read: impl Fn(usize, &mut [T])) {
        let [(z0, nz, pz), (y0, ny, py), (x0, nx, px)] =
            std::array::from_fn(|d| self.window.valid(d, self.shape[d]));
        let [_, height, width] = self.window.size;
        if nz * ny * nx < self.voxels {
            out.fill(padding);
        }
        if nz * ny * nx == 0 {
            return;
        }
        for z in 0..nz {
            for y in 0..ny {
                let at = ((pz + z) * height + py + y) * width + px;
                let start = ((z0 + z) * self.shape[1] + y0 + y) * self.shape[2] + x0;
                read(start, &mut out[at..at + nx]);
            }
        }
    }

    /// The case's voxel at the start of the row with the box's flat index `at`.
    fn row_of(&self, at: usize) -> [usize; 3] {
        let [_, height, width] = self.window.size;
        let place = [at / (height * width), at / width % height, 0];
        std::array::from_fn(|d| (self.window.lower[d] + place[d] as i64).max(0) as usize)
    }
}
