//! Every code that an error of this package can have.

use std::io;

/// Declares [`Code`] with the text and the documentation of each code.
macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        /// The code of an error: what a script should test. A code that was released never changes.
        ///
        /// It is the one list of codes, those of errors that only TypeScript throws included. The documentation of a code
        /// says what happened and what to do; it becomes the documentation of the TypeScript type `ErrorCode`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Code {
            /// All codes, with their documentation.
            pub const ALL: &'static [(Self, &'static str)] = &[
                $((Self::$name, concat!($($doc),+)),)+
            ];

            /// The code as it crosses into TypeScript, such as `ERR_NIFTI_HEADER`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

impl Code {
    /// The code of an error of the operating system: [`Code::NotFound`], [`Code::DiskFull`], else `other`.
    #[must_use]
    pub fn of_io(error: &io::Error, other: Self) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            _ => other,
        }
    }
}

codes! {
    /// The caller stopped the work.
    Cancelled = "ERR_CANCELLED",
    /// A bug in this package. Please report it with the message.
    Internal = "ERR_INTERNAL",
    /// An option is unknown, missing, of the wrong type or out of range, or two options contradict each other.
    /// The message names each option, the value found and the value expected.
    Options = "ERR_OPTIONS",
    /// A task, folder, model or file does not exist. The message says where it was looked for and what to run first.
    NotFound = "ERR_NOT_FOUND",
    /// The operating system refused to read or write a file.
    Io = "ERR_IO",
    /// The disk or the quota is full. What was on disk before is unchanged. Free some space and run again.
    DiskFull = "ERR_DISK_FULL",
    /// The machine or the device has too little memory. The message says how much was asked for.
    OutOfMemory = "ERR_OUT_OF_MEMORY",
    /// The system refused to start a thread. Use fewer workers.
    Threads = "ERR_THREADS",
    /// Some cases failed where all are needed. `details.failures` lists them.
    CasesFailed = "ERR_CASES_FAILED",
    /// A folder or task holds no case.
    NoCases = "ERR_NO_CASES",
    /// A file of arrays or an image could not be read.
    VolumeIo = "ERR_VOLUME_IO",
    /// A file ends before the data that its header announces. Write it again.
    FileTruncated = "ERR_FILE_TRUNCATED",
    /// A file is not a valid npy array.
    NpyHeader = "ERR_NPY_HEADER",
    /// An array has an element type that is not supported here.
    ArrayDtype = "ERR_ARRAY_DTYPE",
    /// An npy array cannot be memory-mapped. Save it C-ordered.
    NpyLayout = "ERR_NPY_LAYOUT",
    /// An array holds a value that the expected type cannot hold.
    ArrayValue = "ERR_ARRAY_VALUE",
    /// A file is not a valid npz archive.
    NpzArchive = "ERR_NPZ_ARCHIVE",
    /// A member of an npz archive cannot be decompressed.
    NpzInflate = "ERR_NPZ_INFLATE",
    /// An npz archive lacks an array.
    NpzMember = "ERR_NPZ_MEMBER",
    /// A file is not a readable NIfTI image.
    NiftiHeader = "ERR_NIFTI_HEADER",
    /// A NIfTI header has no usable geometry.
    NiftiGeometry = "ERR_NIFTI_GEOMETRY",
    /// An array or geometry cannot be written as NIfTI.
    NiftiWrite = "ERR_NIFTI_WRITE",
    /// A gzip file is damaged. Write or copy it again.
    Gzip = "ERR_GZIP",
    /// A label map holds a value that is not a label.
    LabelValue = "ERR_LABEL_VALUE",
    /// A pickle or checkpoint could not be read.
    PickleIo = "ERR_PICKLE_IO",
    /// A pickle or checkpoint ends too early.
    PickleTruncated = "ERR_PICKLE_TRUNCATED",
    /// A file is not a valid pickle.
    PickleMalformed = "ERR_PICKLE_MALFORMED",
    /// A pickle names a class that is not on the list of safe ones. Nothing in it was executed.
    PickleGlobal = "ERR_PICKLE_GLOBAL",
    /// A pickle asks for more memory than its size allows.
    PickleLimit = "ERR_PICKLE_LIMIT",
    /// A value cannot be written as a pickle.
    PickleUnsupported = "ERR_PICKLE_UNSUPPORTED",
    /// A checkpoint is not a valid archive.
    CheckpointArchive = "ERR_CHECKPOINT_ARCHIVE",
    /// A record lacks a key or holds a value of another type.
    PickleValue = "ERR_PICKLE_VALUE",
    /// A file could not be copied or written.
    StorageIo = "ERR_STORAGE_IO",
    /// Source and destination of a copy are the same file.
    SameFile = "ERR_SAME_FILE",
    /// A pipe, socket or device cannot be copied.
    SpecialFile = "ERR_SPECIAL_FILE",
    /// Symbolic links point to each other in a circle.
    LinkCycle = "ERR_LINK_CYCLE",
    /// A file pattern is not valid.
    Pattern = "ERR_PATTERN",
    /// Some entries of a folder could not be copied. `details` lists all of them.
    CopyTree = "ERR_COPY_TREE",
    /// One of nnU-Net's folders is needed and neither option nor environment variable names it.
    FolderUnset = "ERR_FOLDER_UNSET",
    /// Several tasks have the number given. Pass the whole name.
    TaskAmbiguous = "ERR_TASK_AMBIGUOUS",
    /// Another task has the number of the new one.
    TaskNumberTaken = "ERR_TASK_NUMBER_TAKEN",
    /// A task's name is not of the form TaskXXX_NAME.
    TaskName = "ERR_TASK_NAME",
    /// A file or folder of a task could not be read.
    DatasetIo = "ERR_DATASET_IO",
    /// A record of a task (dataset.json, plans, properties) is not what nnU-Net writes.
    DatasetRecord = "ERR_DATASET_RECORD",
    /// A case lacks the file of a channel.
    ChannelMissing = "ERR_CHANNEL_MISSING",
    /// There are fewer cases or patients than folds.
    TooFewCases = "ERR_TOO_FEW_CASES",
    /// Splits or groups do not fit the cases of the task.
    Splits = "ERR_SPLITS",
    /// The task has splits. Pass `overwrite` to replace them; a copy is kept.
    SplitsExist = "ERR_SPLITS_EXIST",
    /// A model folder lacks plans, folds or checkpoints.
    ModelFolder = "ERR_MODEL_FOLDER",
    /// A data set uses a feature that nnU-Net v1 cannot express.
    DatasetUnsupported = "ERR_DATASET_UNSUPPORTED",
    /// The task exists. Pass `overwrite` to convert into it.
    TaskExists = "ERR_TASK_EXISTS",
    /// The file is none that can be inspected.
    FileKind = "ERR_FILE_KIND",
    /// A mask has no axis or too many.
    EdtRank = "ERR_EDT_RANK",
    /// A spacing is missing or out of range.
    EdtSpacing = "ERR_EDT_SPACING",
    /// The bound is not a positive number.
    EdtBound = "ERR_EDT_BOUND",
    /// Arrays of a distance transform differ in shape.
    EdtShape = "ERR_EDT_SHAPE",
    /// An array of a distance transform is not contiguous.
    EdtLayout = "ERR_EDT_LAYOUT",
    /// A folder of weightmaps could not be read or created.
    WeightmapFolder = "ERR_WEIGHTMAP_FOLDER",
    /// The matching pattern is not valid.
    WeightmapPattern = "ERR_WEIGHTMAP_PATTERN",
    /// No file of the folder matches the pattern.
    WeightmapNoCases = "ERR_WEIGHTMAP_NO_CASES",
    /// No class is given and dataset.json names none.
    WeightmapNoClasses = "ERR_WEIGHTMAP_NO_CLASSES",
    /// dataset.json beside the preprocessed cases cannot be used.
    WeightmapDatasetJson = "ERR_WEIGHTMAP_DATASET_JSON",
    /// A class cannot be one of a weightmap.
    WeightmapClass = "ERR_WEIGHTMAP_CLASS",
    /// The file is itself a weightmap.
    WeightmapIsWeightmap = "ERR_WEIGHTMAP_IS_WEIGHTMAP",
    /// Two cases would write the same weightmap.
    WeightmapSameOutput = "ERR_WEIGHTMAP_SAME_OUTPUT",
    /// A case is neither .npz nor .npy.
    WeightmapExtension = "ERR_WEIGHTMAP_EXTENSION",
    /// A case's array does not have four axes.
    WeightmapRank = "ERR_WEIGHTMAP_RANK",
    /// A case has too many voxels.
    WeightmapSize = "ERR_WEIGHTMAP_SIZE",
    /// A case has no segmentation channel.
    WeightmapChannels = "ERR_WEIGHTMAP_CHANNELS",
    /// A segmentation holds a value that is no label.
    WeightmapLabel = "ERR_WEIGHTMAP_LABEL",
    /// A case lacks the .pkl that its spacing is in.
    WeightmapNoProperties = "ERR_WEIGHTMAP_NO_PROPERTIES",
    /// A case's spacing cannot be used.
    WeightmapSpacing = "ERR_WEIGHTMAP_SPACING",
    /// A shape to resample from or to is empty.
    ResampleShape = "ERR_RESAMPLE_SHAPE",
    /// A spline order is not supported.
    ResampleOrder = "ERR_RESAMPLE_ORDER",
    /// An axis does not exist.
    ResampleAxis = "ERR_RESAMPLE_AXIS",
    /// A spacing is not a positive number.
    ResampleSpacing = "ERR_RESAMPLE_SPACING",
    /// Axes of an export are not a permutation.
    ExportTranspose = "ERR_EXPORT_TRANSPOSE",
    /// The crop of an export does not fit the image.
    ExportCrop = "ERR_EXPORT_CROP",
    /// A softmax does not fit the region that it is exported to.
    ExportShape = "ERR_EXPORT_SHAPE",
    /// The regions of an export do not fit the softmax.
    ExportRegions = "ERR_EXPORT_REGIONS",
    /// An exported segmentation could not be written.
    ExportWrite = "ERR_EXPORT_WRITE",
    /// A folder or file of preprocessing could not be created or removed.
    PreprocessIo = "ERR_PREPROCESS_IO",
    /// Every voxel of a case is 0.
    EmptyImage = "ERR_EMPTY_IMAGE",
    /// The files of a case differ in shape, or its array is not that of a preprocessed case.
    CaseShape = "ERR_CASE_SHAPE",
    /// An image holds several channels. Split it into one file per modality.
    ImageChannels = "ERR_IMAGE_CHANNELS",
    /// A cropped case is not of the expected form. Crop it again.
    CroppedShape = "ERR_CROPPED_SHAPE",
    /// A case has too few or too many images for the plans.
    CaseModalities = "ERR_CASE_MODALITIES",
    /// A resampled case does not fit the memory of the machine. Check its spacing.
    CaseTooLarge = "ERR_CASE_TOO_LARGE",
    /// CT normalisation lacks the statistics of the foreground.
    NoIntensities = "ERR_NO_INTENSITIES",
    /// The plans name an unknown normalisation.
    NormalizationScheme = "ERR_NORMALIZATION_SCHEME",
    /// The plans name an unknown preprocessor.
    Preprocessor = "ERR_PREPROCESSOR",
    /// The median case vanishes at the planned spacing.
    EmptyStage = "ERR_EMPTY_STAGE",
    /// A patch is smaller than its poolings need.
    PatchTooSmall = "ERR_PATCH_TOO_SMALL",
    /// No patch fits the memory that is planned for.
    NothingFits = "ERR_NOTHING_FITS",
    /// A preprocessed case lacks its array. Preprocess it again.
    CaseMissing = "ERR_CASE_MISSING",
    /// A case's properties lack usable class locations. Preprocess it again.
    ClassLocations = "ERR_CLASS_LOCATIONS",
    /// Weightmaps are missing or do not have the shape of their cases.
    Weightmaps = "ERR_WEIGHTMAPS",
    /// A weightmap holds a weight that is negative or not finite.
    WeightmapValue = "ERR_WEIGHTMAP_VALUE",
    /// Cases have no annotated voxel to centre patches on.
    NoAnnotation = "ERR_NO_ANNOTATION",
    /// A drawn box holds no annotated voxel, where DIAG's fork fails too.
    NoAnnotationInPatch = "ERR_NO_ANNOTATION_IN_PATCH",
    /// The disk has no room for the unpacked cases.
    NoSpace = "ERR_NO_SPACE",
    /// Arrays of an augmentation differ in shape.
    AugmentShape = "ERR_AUGMENT_SHAPE",
    /// A list has not one value for each axis or channel.
    AugmentLength = "ERR_AUGMENT_LENGTH",
    /// A loader was asked for a batch after its last one.
    LoaderFinished = "ERR_LOADER_FINISHED",
    /// libtorch refused an operation.
    Torch = "ERR_TORCH",
    /// The device does not exist on this machine.
    Device = "ERR_DEVICE",
    /// The device does not support the precision.
    Precision = "ERR_PRECISION",
    /// The plans describe a network that cannot be built, or weights do not fit it.
    Network = "ERR_NETWORK",
    /// A checkpoint cannot be continued or used.
    Checkpoint = "ERR_CHECKPOINT",
    /// Loss or gradients are not finite.
    Diverged = "ERR_DIVERGED",
    /// A label is not below the number of classes.
    LabelRange = "ERR_LABEL_RANGE",
    /// A model cannot be used for prediction.
    Model = "ERR_MODEL",
    /// A folder of segmentations could not be read.
    Folder = "ERR_FOLDER",
    /// A reference has no prediction.
    MissingPrediction = "ERR_MISSING_PREDICTION",
    /// A prediction has no reference.
    MissingReference = "ERR_MISSING_REFERENCE",
    /// A prediction has another shape than its reference.
    ShapeMismatch = "ERR_SHAPE_MISMATCH",
    /// A prediction lies at another place than its reference.
    GeometryMismatch = "ERR_GEOMETRY_MISMATCH",
    /// Connected components need a three-dimensional mask.
    ComponentRank = "ERR_COMPONENT_RANK",
    /// A mask is too large for connected components.
    ComponentSize = "ERR_COMPONENT_SIZE",
    /// A summary.json cannot be read.
    SummaryFile = "ERR_SUMMARY_FILE",
    /// A postprocessing.json cannot be read.
    PostprocessingFile = "ERR_POSTPROCESSING_FILE",
    /// Postprocessing cannot remove components of the background.
    PostprocessingBackground = "ERR_POSTPROCESSING_BACKGROUND",
    /// A minimum size of components is not valid.
    PostprocessingMinimumSize = "ERR_POSTPROCESSING_MINIMUM_SIZE",
    /// The native addon for this platform is not installed.
    AddonMissing = "ERR_ADDON_MISSING",
    /// The native addon does not load.
    AddonBroken = "ERR_ADDON_BROKEN",
    /// No libtorch was found. Run `nnunet-diag libtorch install`.
    LibtorchMissing = "ERR_LIBTORCH_MISSING",
    /// The libtorch found is of another version than the addon needs.
    LibtorchVersion = "ERR_LIBTORCH_VERSION",
    /// The libtorch found is damaged or incomplete. Run `nnunet-diag libtorch install --force`.
    LibtorchBroken = "ERR_LIBTORCH_BROKEN",
    /// libtorch could not be installed.
    LibtorchInstall = "ERR_LIBTORCH_INSTALL",
    /// A wheel could not be unpacked.
    Wheel = "ERR_WHEEL",
    /// No font was found to draw text of a PNG with.
    NoFont = "ERR_NO_FONT",
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_distinct_and_documented() {
        let codes: BTreeSet<_> = Code::ALL.iter().map(|(code, _)| code.as_str()).collect();
        assert_eq!(codes.len(), Code::ALL.len());
        for (code, doc) in Code::ALL {
            assert!(code.as_str().starts_with("ERR_"), "{code:?}");
            assert!(doc.trim().len() > 10, "{code:?}");
        }
    }
}
