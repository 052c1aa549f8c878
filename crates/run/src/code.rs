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
    /// A task, folder, model or file does not exist. The message says where it was looked for and what to
    /// run first.
    NotFound = "ERR_NOT_FOUND",
    /// The operating system refused to read or write a file. The message says why. Check the permissions.
    Io = "ERR_IO",
    /// The disk or the quota is full. What was on disk before is unchanged. Free some space and run again.
    DiskFull = "ERR_DISK_FULL",
    /// The machine or the device has too little memory. The message says how much was asked for.
    OutOfMemory = "ERR_OUT_OF_MEMORY",
    /// The operating system refused to start a thread. Use fewer workers.
    Threads = "ERR_THREADS",
    /// Some cases failed where all are needed. `details.failures` lists them. Repair them and run again.
    CasesFailed = "ERR_CASES_FAILED",
    /// A folder or task has no case. Check the folder and the names of its files.
    NoCases = "ERR_NO_CASES",
    /// The operating system refused to read an image or a file of arrays. Check the permissions.
    VolumeIo = "ERR_VOLUME_IO",
    /// A file ends before the data that its header announces. Write it again.
    FileTruncated = "ERR_FILE_TRUNCATED",
    /// A file is not a valid npy array. Write it again.
    NpyHeader = "ERR_NPY_HEADER",
    /// An array has an element type that is not supported here. The message names the supported types.
    ArrayDtype = "ERR_ARRAY_DTYPE",
    /// An npy array cannot be memory-mapped. Save it C-ordered.
    NpyLayout = "ERR_NPY_LAYOUT",
    /// An array has a value that does not fit the expected type. Write the array again with fitting values.
    ArrayValue = "ERR_ARRAY_VALUE",
    /// A file is not a valid npz archive. It may be half-written: write it again.
    NpzArchive = "ERR_NPZ_ARCHIVE",
    /// A member of an npz archive cannot be decompressed. Write the file again.
    NpzInflate = "ERR_NPZ_INFLATE",
    /// An npz archive has no array of the expected name. The message names the arrays that it has.
    NpzMember = "ERR_NPZ_MEMBER",
    /// A file is not a readable NIfTI image. Convert it, or write it again.
    NiftiHeader = "ERR_NIFTI_HEADER",
    /// A NIfTI header has no usable position in space. Correct its affine or spacing.
    NiftiGeometry = "ERR_NIFTI_GEOMETRY",
    /// An array or its geometry cannot be written as NIfTI. The message says what does not fit.
    NiftiWrite = "ERR_NIFTI_WRITE",
    /// A gzip file is damaged. Write or copy it again.
    Gzip = "ERR_GZIP",
    /// A label map has a value that is not a label. Labels are whole numbers from -32768 to 32767.
    LabelValue = "ERR_LABEL_VALUE",
    /// The operating system refused to read a pickle or checkpoint. Check the permissions.
    PickleIo = "ERR_PICKLE_IO",
    /// A pickle or checkpoint ends too early. Copy or write it again.
    PickleTruncated = "ERR_PICKLE_TRUNCATED",
    /// A file is not a valid pickle, or is damaged. Copy or write it again.
    PickleMalformed = "ERR_PICKLE_MALFORMED",
    /// A pickle names a class that is not on the list of safe ones. Nothing in it was executed.
    PickleGlobal = "ERR_PICKLE_GLOBAL",
    /// A pickle asks for more memory than its size allows. The file is damaged, or was made to do harm.
    PickleLimit = "ERR_PICKLE_LIMIT",
    /// A value has no counterpart in the supported subset of pickles.
    PickleUnsupported = "ERR_PICKLE_UNSUPPORTED",
    /// A checkpoint is not a valid archive. Copy or write it again.
    CheckpointArchive = "ERR_CHECKPOINT_ARCHIVE",
    /// A record lacks a key, or has a value of another type. The message names file and key.
    PickleValue = "ERR_PICKLE_VALUE",
    /// The operating system refused to copy or write a file. Check the permissions.
    StorageIo = "ERR_STORAGE_IO",
    /// Source and destination of a copy are the same file. Name another destination.
    SameFile = "ERR_SAME_FILE",
    /// A pipe, socket or device cannot be copied. Exclude it.
    SpecialFile = "ERR_SPECIAL_FILE",
    /// A symbolic link points to a folder that contains it. Remove it or exclude it.
    LinkCycle = "ERR_LINK_CYCLE",
    /// A pattern of file names is not valid. The message says where.
    Pattern = "ERR_PATTERN",
    /// Some entries of a folder could not be copied. `details` lists all of them.
    CopyTree = "ERR_COPY_TREE",
    /// One of nnU-Net's folders is needed, and neither an option nor an environment variable names it. Set
    /// one of them.
    FolderUnset = "ERR_FOLDER_UNSET",
    /// Several tasks have the number given. Pass the whole name.
    TaskAmbiguous = "ERR_TASK_AMBIGUOUS",
    /// Another task has the number of the new one. Choose another name.
    TaskNumberTaken = "ERR_TASK_NUMBER_TAKEN",
    /// A name is not that of a task. Expected are a number, TaskXXX_NAME, or a path to such a folder.
    TaskName = "ERR_TASK_NAME",
    /// The operating system refused to read a file or folder of a task. Check the permissions.
    DatasetIo = "ERR_DATASET_IO",
    /// A record of a task (dataset.json, plans, splits) is not what nnU-Net writes. The message names file
    /// and entry.
    DatasetRecord = "ERR_DATASET_RECORD",
    /// A case lacks the file of a channel. Add it, or remove the case.
    ChannelMissing = "ERR_CHANNEL_MISSING",
    /// There are fewer cases or patients than folds. Train with `--fold all`, or provide splits.
    TooFewCases = "ERR_TOO_FEW_CASES",
    /// Splits or groups do not fit the cases of the task. `details.cases` names the cases.
    Splits = "ERR_SPLITS",
    /// The task has splits. Pass `overwrite` to replace them; a copy is kept.
    SplitsExist = "ERR_SPLITS_EXIST",
    /// A folder is not that of a model. Name the folder that holds `fold_0` or `all`.
    ModelFolder = "ERR_MODEL_FOLDER",
    /// A data set uses a feature that nnU-Net v1 cannot express. The message says which, and what to do.
    DatasetUnsupported = "ERR_DATASET_UNSUPPORTED",
    /// The task exists. Pass `overwrite` to convert into it.
    TaskExists = "ERR_TASK_EXISTS",
    /// The type of a file is not one that can be inspected. The message names the types.
    FileKind = "ERR_FILE_KIND",
    /// A mask has no axis, or more than three.
    EdtRank = "ERR_EDT_RANK",
    /// A spacing is missing or out of range. Give one positive number for each axis.
    EdtSpacing = "ERR_EDT_SPACING",
    /// The bound on the distance is negative or not a number.
    EdtBound = "ERR_EDT_BOUND",
    /// Output and mask of a distance transform differ in shape.
    EdtShape = "ERR_EDT_SHAPE",
    /// The output of a distance transform is not contiguous in C order.
    EdtLayout = "ERR_EDT_LAYOUT",
    /// The operating system refused to read or create a folder of weightmaps. Check the permissions.
    WeightmapFolder = "ERR_WEIGHTMAP_FOLDER",
    /// No file of the folder matches the pattern. Name a folder of preprocessed cases.
    WeightmapNoCases = "ERR_WEIGHTMAP_NO_CASES",
    /// No class is given and there is no dataset.json to take them from. Name the classes.
    WeightmapNoClasses = "ERR_WEIGHTMAP_NO_CLASSES",
    /// dataset.json beside the preprocessed cases cannot be used. Correct it, or name the classes.
    WeightmapDatasetJson = "ERR_WEIGHTMAP_DATASET_JSON",
    /// A class is not a label of the data set, or cannot be one of a weightmap. Name other classes.
    WeightmapClass = "ERR_WEIGHTMAP_CLASS",
    /// The file is itself a weightmap. Choose a pattern that excludes `*_weightmap.npy`.
    WeightmapIsWeightmap = "ERR_WEIGHTMAP_IS_WEIGHTMAP",
    /// Two cases would write the same weightmap. Choose a pattern that matches one of them.
    WeightmapSameOutput = "ERR_WEIGHTMAP_SAME_OUTPUT",
    /// A case is neither .npz nor .npy. Choose another pattern.
    WeightmapExtension = "ERR_WEIGHTMAP_EXTENSION",
    /// A case's array does not have the axes (channel, z, y, x). Preprocess the case again.
    WeightmapRank = "ERR_WEIGHTMAP_RANK",
    /// A case has more voxels than the mode `instances` can number. Use another mode.
    WeightmapSize = "ERR_WEIGHTMAP_SIZE",
    /// A case has no segmentation channel. Preprocess the case again.
    WeightmapChannels = "ERR_WEIGHTMAP_CHANNELS",
    /// A segmentation has a value that is not a whole number. Preprocess the case again.
    WeightmapLabel = "ERR_WEIGHTMAP_LABEL",
    /// A case lacks the .pkl that its spacing is in. Preprocess the case again.
    WeightmapNoProperties = "ERR_WEIGHTMAP_NO_PROPERTIES",
    /// A case's spacing is not three positive numbers. Preprocess the case again.
    WeightmapSpacing = "ERR_WEIGHTMAP_SPACING",
    /// A shape to resample from or to has an axis without voxels.
    ResampleShape = "ERR_RESAMPLE_SHAPE",
    /// A spline order is not supported. Use 0, 1 or 3.
    ResampleOrder = "ERR_RESAMPLE_ORDER",
    /// The axis to resample separately does not exist.
    ResampleAxis = "ERR_RESAMPLE_AXIS",
    /// A spacing is not a positive number on every axis.
    ResampleSpacing = "ERR_RESAMPLE_SPACING",
    /// The plans' axes are not a permutation. The plans are damaged.
    ExportTranspose = "ERR_EXPORT_TRANSPOSE",
    /// The crop of a case does not fit its image: the properties belong to another image.
    ExportCrop = "ERR_EXPORT_CROP",
    /// A softmax does not have the size of the case's cropped region.
    ExportShape = "ERR_EXPORT_SHAPE",
    /// The regions of an export do not fit the channels of the softmax.
    ExportRegions = "ERR_EXPORT_REGIONS",
    /// The operating system refused to create or remove a file of preprocessing. Check the permissions.
    PreprocessIo = "ERR_PREPROCESS_IO",
    /// Every voxel of a case is 0. Repair the case, or leave it out.
    EmptyImage = "ERR_EMPTY_IMAGE",
    /// The files of a case differ in shape, or its array is not that of a preprocessed case. Repair the
    /// case.
    CaseShape = "ERR_CASE_SHAPE",
    /// An image holds several channels. Split it into one file per modality.
    ImageChannels = "ERR_IMAGE_CHANNELS",
    /// A cropped case is not of the expected form. Crop it again.
    CroppedShape = "ERR_CROPPED_SHAPE",
    /// A case has too few or too many images for the plans. Give one image for each modality.
    CaseModalities = "ERR_CASE_MODALITIES",
    /// A resampled case does not fit the memory of the machine. Check its spacing.
    CaseTooLarge = "ERR_CASE_TOO_LARGE",
    /// CT normalisation lacks the statistics of the foreground: no training case has a label above 0.
    NoIntensities = "ERR_NO_INTENSITIES",
    /// The plans name an unknown normalisation. The message names the known ones.
    NormalizationScheme = "ERR_NORMALIZATION_SCHEME",
    /// The plans name an unknown preprocessor. The message names the known ones.
    Preprocessor = "ERR_PREPROCESSOR",
    /// The median case has no voxel at the planned spacing. Choose a smaller spacing.
    EmptyStage = "ERR_EMPTY_STAGE",
    /// A patch is smaller than its poolings need. Choose a larger patch.
    PatchTooSmall = "ERR_PATCH_TOO_SMALL",
    /// No patch fits the memory that is planned for. Give the patch size by hand.
    NothingFits = "ERR_NOTHING_FITS",
    /// A preprocessed case lacks its array. Preprocess it again.
    CaseMissing = "ERR_CASE_MISSING",
    /// A case's properties lack usable class locations. Preprocess it again.
    ClassLocations = "ERR_CLASS_LOCATIONS",
    /// Weightmaps are missing or do not have the shape of their cases. Run `nnunet-diag weightmaps`.
    Weightmaps = "ERR_WEIGHTMAPS",
    /// A weightmap has a weight that is negative or not finite. Write it again with `nnunet-diag
    /// weightmaps`.
    WeightmapValue = "ERR_WEIGHTMAP_VALUE",
    /// Cases have no annotated voxel to centre patches on. Annotate them, or skip them with
    /// `skipUnannotated`.
    NoAnnotation = "ERR_NO_ANNOTATION",
    /// A loaded patch has no annotated voxel, which the fork's sampling cannot use. Use the sampling
    /// `annotated`.
    NoAnnotationInPatch = "ERR_NO_ANNOTATION_IN_PATCH",
    /// The disk has no room for the unpacked cases. Free some space, or train with `unpack: false`.
    NoSpace = "ERR_NO_SPACE",
    /// Arrays of an augmentation differ in shape.
    AugmentShape = "ERR_AUGMENT_SHAPE",
    /// A destination buffer of an augmentation has the wrong length.
    AugmentLength = "ERR_AUGMENT_LENGTH",
    /// A loader was asked for a batch after its last one.
    LoaderFinished = "ERR_LOADER_FINISHED",
    /// libtorch refused an operation. `details.reason` has its own words.
    Torch = "ERR_TORCH",
    /// The device does not exist on this machine. The message names those that do.
    Device = "ERR_DEVICE",
    /// The device does not support the precision. Use `auto`.
    Precision = "ERR_PRECISION",
    /// The network cannot be built, or cannot take patches of this size. The message says what fits.
    Network = "ERR_NETWORK",
    /// A checkpoint cannot be used: it is not of nnU-Net v1, or lacks an entry.
    Checkpoint = "ERR_CHECKPOINT",
    /// Loss or gradients are not finite. Lower the initial learning rate, or train in float32.
    Diverged = "ERR_DIVERGED",
    /// A label is not below the number of classes. Run `nnunet-diag check`.
    LabelRange = "ERR_LABEL_RANGE",
    /// A model cannot be used for prediction. The message says why.
    Model = "ERR_MODEL",
    /// The operating system refused to list or create a folder of segmentations. Check the permissions.
    Folder = "ERR_FOLDER",
    /// A reference has no prediction. Predict the case, or pass `predictedOnly`.
    MissingPrediction = "ERR_MISSING_PREDICTION",
    /// A prediction has no reference. Add it, or remove the prediction.
    MissingReference = "ERR_MISSING_REFERENCE",
    /// A prediction has another shape than its reference.
    ShapeMismatch = "ERR_SHAPE_MISMATCH",
    /// A prediction and its reference differ in spacing, origin or direction. Raise `tolerance` if that is
    /// harmless.
    GeometryMismatch = "ERR_GEOMETRY_MISMATCH",
    /// Connected components need one to three axes.
    ComponentRank = "ERR_COMPONENT_RANK",
    /// An image is too large for connected components.
    ComponentSize = "ERR_COMPONENT_SIZE",
    /// A summary.json cannot be used. Evaluate the predictions again.
    SummaryFile = "ERR_SUMMARY_FILE",
    /// A postprocessing.json cannot be used. The message says why.
    PostprocessingFile = "ERR_POSTPROCESSING_FILE",
    /// Label 0 is the background, whose components cannot be removed.
    PostprocessingBackground = "ERR_POSTPROCESSING_BACKGROUND",
    /// A region has no minimum size of components. Add it to postprocessing.json.
    PostprocessingMinimumSize = "ERR_POSTPROCESSING_MINIMUM_SIZE",
    /// The native addon for this platform is not installed. Install the package again.
    AddonMissing = "ERR_ADDON_MISSING",
    /// The native addon does not load. The message has the reason.
    AddonBroken = "ERR_ADDON_BROKEN",
    /// No libtorch was found. Run `nnunet-diag libtorch install`.
    LibtorchMissing = "ERR_LIBTORCH_MISSING",
    /// The libtorch found is of another version than the addon needs. Run `nnunet-diag libtorch install`.
    LibtorchVersion = "ERR_LIBTORCH_VERSION",
    /// The libtorch found is damaged or incomplete. Run `nnunet-diag libtorch install --force`.
    LibtorchBroken = "ERR_LIBTORCH_BROKEN",
    /// libtorch could not be installed. The message has the last lines of pip.
    LibtorchInstall = "ERR_LIBTORCH_INSTALL",
    /// A wheel could not be unpacked. Download it again.
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
