//! The codes of all errors of this package.

use std::io;

/// Declares [`Code`] with the text and the documentation of each code.
macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        /// The code of an error, for scripts to test. A released code never changes.
        ///
        /// This is the only list of codes, including those of errors that only TypeScript throws. The
        /// documentation of a code states the cause and the remedy. It becomes the documentation of the
        /// TypeScript type `ErrorCode`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Code {
            /// All codes, with their documentation.
            pub const ALL: &'static [(Self, &'static str)] = &[
                $((Self::$name, concat!($($doc),+)),)+
            ];

            /// The code as text, as in TypeScript: `ERR_NIFTI_HEADER`.
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
    /// The code of an I/O error: [`Code::NotFound`], [`Code::DiskFull`], else `other`.
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
    /// The caller cancelled the work.
    Cancelled = "ERR_CANCELLED",
    /// A bug in this package. Please report it with the message.
    Internal = "ERR_INTERNAL",
    /// An option is unknown, missing, of the wrong type or out of range, or two options contradict each
    /// other. The message names each option, the value found and the value expected.
    Options = "ERR_OPTIONS",
    /// A task, folder, model or file does not exist. The message names the path and the command to run first.
    /// run first.
    NotFound = "ERR_NOT_FOUND",
    /// A file could not be read or written. The message has the system's reason. Check the permissions.
    Io = "ERR_IO",
    /// The disk is full or the quota is used up. Existing files are unchanged. Free some space and run again.
    DiskFull = "ERR_DISK_FULL",
    /// The machine or the device has too little memory. The message says how much was requested.
    OutOfMemory = "ERR_OUT_OF_MEMORY",
    /// The system could not start a thread. Use fewer workers.
    Threads = "ERR_THREADS",
    /// Some cases failed, and the verb needs all of them. `details.failures` lists them. Repair them and run
    /// again.
    CasesFailed = "ERR_CASES_FAILED",
    /// A folder or task has no cases. Check the folder and its file names.
    NoCases = "ERR_NO_CASES",
    /// An image or a file of arrays could not be read. Check the permissions.
    VolumeIo = "ERR_VOLUME_IO",
    /// A file is shorter than its header announces. Write it again.
    FileTruncated = "ERR_FILE_TRUNCATED",
    /// A file is not a valid npy array. Write it again.
    NpyHeader = "ERR_NPY_HEADER",
    /// An array has an unsupported element type. The message names the supported types.
    ArrayDtype = "ERR_ARRAY_DTYPE",
    /// An npy array cannot be memory-mapped. Save it C-ordered.
    NpyLayout = "ERR_NPY_LAYOUT",
    /// An array has a value outside the range of the expected type. Correct the values and write the array
    /// again.
    ArrayValue = "ERR_ARRAY_VALUE",
    /// A file is not a valid npz archive. It may be incomplete. Write it again.
    NpzArchive = "ERR_NPZ_ARCHIVE",
    /// A member of an npz archive cannot be decompressed. Write the file again.
    NpzInflate = "ERR_NPZ_INFLATE",
    /// An npz archive has no array of the expected name. The message lists its arrays.
    NpzMember = "ERR_NPZ_MEMBER",
    /// A file is not a readable NIfTI image. Convert it, or write it again.
    NiftiHeader = "ERR_NIFTI_HEADER",
    /// A NIfTI header has no valid affine. Correct its affine or spacing.
    NiftiGeometry = "ERR_NIFTI_GEOMETRY",
    /// A volume exists as `.nii` and as `.nii.gz`. Remove one of the two files.
    TwoFiles = "ERR_TWO_FILES",
    /// An image has voxels that are NaN or infinite. Repair it, or replace them by 0 with `nonfinite: 'zero'`.
    NotFinite = "ERR_NOT_FINITE",
    /// The intensities that normalise a CT image have no spread, as in a binarised image. Check the images, or
    /// name the modality other than CT.
    NoSpread = "ERR_NO_SPREAD",
    /// An array or its geometry cannot be written as NIfTI. The message states the reason.
    NiftiWrite = "ERR_NIFTI_WRITE",
    /// A gzip file is damaged. Write or copy it again.
    Gzip = "ERR_GZIP",
    /// A label map has an invalid value. Labels are whole numbers from -32768 to 32767.
    LabelValue = "ERR_LABEL_VALUE",
    /// A pickle or checkpoint could not be read. Check the permissions.
    PickleIo = "ERR_PICKLE_IO",
    /// A pickle or checkpoint is truncated. Copy or write it again.
    PickleTruncated = "ERR_PICKLE_TRUNCATED",
    /// A file is not a valid pickle, or is damaged. Copy or write it again.
    PickleMalformed = "ERR_PICKLE_MALFORMED",
    /// A pickle names a class that is not on the list of safe classes. Nothing in it was executed.
    PickleGlobal = "ERR_PICKLE_GLOBAL",
    /// A pickle requests more memory than its size allows. The file is damaged or malicious.
    PickleLimit = "ERR_PICKLE_LIMIT",
    /// A value cannot be written in the supported subset of pickles.
    PickleUnsupported = "ERR_PICKLE_UNSUPPORTED",
    /// A checkpoint is not a valid archive. Copy or write it again.
    CheckpointArchive = "ERR_CHECKPOINT_ARCHIVE",
    /// A record lacks a key, or a value has the wrong type. The message names file and key.
    PickleValue = "ERR_PICKLE_VALUE",
    /// A file could not be copied or written. Check the permissions.
    StorageIo = "ERR_STORAGE_IO",
    /// The fold has checkpoints of an earlier run. Resume it with `continue`, or begin anew with `overwrite`, which keeps
    /// the old folder under another name.
    FoldExists = "ERR_FOLD_EXISTS",
    /// A pretrained model has no layer of this network. Choose another one.
    Pretrained = "ERR_PRETRAINED",
    /// `model_latest` is damaged, and another checkpoint of the fold is whole. The message says how to continue from it.
    LatestDamaged = "ERR_LATEST_DAMAGED",
    /// The model folder has other plans, another patch size or another batch size. The message names the differences.
    /// All folds of a model share them. Use the same ones, or another model folder; to predict, name folds that have
    /// the same plans.
    ModelPlans = "ERR_MODEL_PLANS",
    /// The time of `stopAfter` is over. The state is saved. Run again with `continue`.
    TimeLimit = "ERR_TIME_LIMIT",
    /// Another process works in the folder. The message names it, its machine and the lock file. Wait for it or stop it.
    Locked = "ERR_LOCKED",
    /// Source and destination of a copy are the same file. Choose another destination.
    SameFile = "ERR_SAME_FILE",
    /// The target of a folder's copy exists already. Choose another path, or continue an interrupted copy with
    /// `continue`.
    TargetExists = "ERR_TARGET_EXISTS",
    /// A pipe, socket or device cannot be copied. Exclude it.
    SpecialFile = "ERR_SPECIAL_FILE",
    /// A symbolic link points to a folder that contains it. Remove it or exclude it.
    LinkCycle = "ERR_LINK_CYCLE",
    /// A file name pattern is invalid. The message names the position.
    Pattern = "ERR_PATTERN",
    /// Some entries of a folder could not be copied. `details` lists all of them.
    CopyTree = "ERR_COPY_TREE",
    /// An nnU-Net folder is not configured: neither an option nor an environment variable names it. Set one
    /// of them.
    FolderUnset = "ERR_FOLDER_UNSET",
    /// Several tasks have the given number. Pass the full name.
    TaskAmbiguous = "ERR_TASK_AMBIGUOUS",
    /// Another task already has this number. Choose another name.
    TaskNumberTaken = "ERR_TASK_NUMBER_TAKEN",
    /// A name is not a task name. Use a number, TaskXXX_NAME, or the path of such a folder.
    TaskName = "ERR_TASK_NAME",
    /// A file or folder of a task could not be read. Check the permissions.
    DatasetIo = "ERR_DATASET_IO",
    /// A record of a task (dataset.json, plans, splits) does not have nnU-Net's format. The message names
    /// file and entry.
    DatasetRecord = "ERR_DATASET_RECORD",
    /// A case lacks the image of a channel. Add it, or remove the case.
    ChannelMissing = "ERR_CHANNEL_MISSING",
    /// There are fewer cases or patients than folds. Train with `--fold all`, or provide splits.
    TooFewCases = "ERR_TOO_FEW_CASES",
    /// The splits have no fold of this number. Choose a number below `details.folds`, `all`, or pass `randomSplit`.
    FoldMissing = "ERR_FOLD_MISSING",
    /// Splits or groups do not match the cases of the task. `details.cases` names the cases.
    Splits = "ERR_SPLITS",
    /// The task already has splits. Pass `overwrite` to replace them; a copy is kept.
    SplitsExist = "ERR_SPLITS_EXIST",
    /// A folder is not a model folder. Name the folder that contains `fold_0` or `all`.
    ModelFolder = "ERR_MODEL_FOLDER",
    /// A model of nnU-Net v2 names a class or function that is not known here, other than its network, such as an image
    /// reader or a resampling function: `details` has what was found and what is known. Or a model of v1 has a part that v2
    /// does not have, so that `convert` cannot make it one of v2.
    ModelUnsupported = "ERR_MODEL_UNSUPPORTED",
    /// The plans of a model of nnU-Net v2 describe a network that is not known here, or that cannot be built. The message
    /// names the entry, its value and the known ones.
    Architecture = "ERR_ARCHITECTURE",
    /// A fold to export has no final checkpoint. Finish its training, or name the folds to export.
    FoldUnfinished = "ERR_FOLD_UNFINISHED",
    /// The file to write exists. Choose another name, or pass `overwrite`.
    FileExists = "ERR_FILE_EXISTS",
    /// A model in memory was used after it was closed. Load it again with `loadModel`.
    ModelClosed = "ERR_MODEL_CLOSED",
    /// A zip file cannot be installed: it is damaged, has names or sizes that no model has, or contains no model. The
    /// message names the entry, what was found and what is expected.
    ModelZip = "ERR_MODEL_ZIP",
    /// A model of the zip file is installed already. Pass `overwrite`, which keeps the old folder under another name.
    ModelExists = "ERR_MODEL_EXISTS",
    /// A dataset uses a feature that nnU-Net v1 cannot express. The message names it and the remedy.
    DatasetUnsupported = "ERR_DATASET_UNSUPPORTED",
    /// The task already exists. Choose another name; `convert` takes `overwrite` to write into it.
    TaskExists = "ERR_TASK_EXISTS",
    /// A path of a report is no model, no task and no folder of predictions. The message says what was looked for.
    ReportPath = "ERR_REPORT_PATH",
    /// Files of this type cannot be inspected. The message names the supported types.
    FileKind = "ERR_FILE_KIND",
    /// A mask has no axes, or more than three.
    EdtRank = "ERR_EDT_RANK",
    /// A spacing is missing or out of range. Give one positive number per axis.
    EdtSpacing = "ERR_EDT_SPACING",
    /// The bound on the distance is negative or not a number.
    EdtBound = "ERR_EDT_BOUND",
    /// Output and mask of a distance transform have different shapes.
    EdtShape = "ERR_EDT_SHAPE",
    /// The output of a distance transform is not contiguous in C order.
    EdtLayout = "ERR_EDT_LAYOUT",
    /// A folder of weightmaps could not be read or created. Check the permissions.
    WeightmapFolder = "ERR_WEIGHTMAP_FOLDER",
    /// No file in the folder matches the pattern. Name a folder of preprocessed cases.
    WeightmapNoCases = "ERR_WEIGHTMAP_NO_CASES",
    /// No classes are given, and there is no dataset.json that lists them. Name the classes.
    WeightmapNoClasses = "ERR_WEIGHTMAP_NO_CLASSES",
    /// The dataset.json beside the preprocessed cases is invalid. Correct it, or name the classes.
    WeightmapDatasetJson = "ERR_WEIGHTMAP_DATASET_JSON",
    /// A class is not a label of the dataset, or is not valid in a weightmap. Name other classes.
    WeightmapClass = "ERR_WEIGHTMAP_CLASS",
    /// The file is itself a weightmap. Choose a pattern that excludes `*_weightmap.npy`.
    WeightmapIsWeightmap = "ERR_WEIGHTMAP_IS_WEIGHTMAP",
    /// Two cases would write the same weightmap. Choose a pattern that matches only one of them.
    WeightmapSameOutput = "ERR_WEIGHTMAP_SAME_OUTPUT",
    /// A case is neither .npz nor .npy. Choose another pattern.
    WeightmapExtension = "ERR_WEIGHTMAP_EXTENSION",
    /// A case's array does not have the axes (channel, z, y, x). Preprocess the case again.
    WeightmapRank = "ERR_WEIGHTMAP_RANK",
    /// A case has too many voxels for the mode `instances`. Use another mode.
    WeightmapSize = "ERR_WEIGHTMAP_SIZE",
    /// A case has no segmentation channel. Preprocess the case again.
    WeightmapChannels = "ERR_WEIGHTMAP_CHANNELS",
    /// A segmentation has a fractional value. Preprocess the case again.
    WeightmapLabel = "ERR_WEIGHTMAP_LABEL",
    /// A case lacks its .pkl file, which stores the spacing. Preprocess the case again.
    WeightmapNoProperties = "ERR_WEIGHTMAP_NO_PROPERTIES",
    /// A case's spacing is not three positive numbers. Preprocess the case again.
    WeightmapSpacing = "ERR_WEIGHTMAP_SPACING",
    /// The source or target shape of a resampling has an axis of length 0.
    ResampleShape = "ERR_RESAMPLE_SHAPE",
    /// A spline order is not supported. Use 0, 1 or 3.
    ResampleOrder = "ERR_RESAMPLE_ORDER",
    /// The axis for separate resampling does not exist.
    ResampleAxis = "ERR_RESAMPLE_AXIS",
    /// A spacing has a value that is not positive.
    ResampleSpacing = "ERR_RESAMPLE_SPACING",
    /// The axes in the plans are not a permutation. The plans are damaged.
    ExportTranspose = "ERR_EXPORT_TRANSPOSE",
    /// The crop of a case does not fit its image. The properties belong to another image.
    ExportCrop = "ERR_EXPORT_CROP",
    /// The shape of a softmax differs from that of the case's cropped region.
    ExportShape = "ERR_EXPORT_SHAPE",
    /// The regions of an export do not match the channels of the softmax.
    ExportRegions = "ERR_EXPORT_REGIONS",
    /// A file of preprocessing could not be created or removed. Check the permissions.
    PreprocessIo = "ERR_PREPROCESS_IO",
    /// Every voxel of a case is 0. Repair the case, or remove it.
    EmptyImage = "ERR_EMPTY_IMAGE",
    /// The images of a case have different shapes, or its array is not a preprocessed case. Repair the case.
    CaseShape = "ERR_CASE_SHAPE",
    /// An image has several channels. Split it into one file per modality.
    ImageChannels = "ERR_IMAGE_CHANNELS",
    /// A cropped case has an unexpected format. Crop it again.
    CroppedShape = "ERR_CROPPED_SHAPE",
    /// A case has too few or too many images for the plans. Give one image per modality.
    CaseModalities = "ERR_CASE_MODALITIES",
    /// A resampled case does not fit into memory. Check its spacing.
    CaseTooLarge = "ERR_CASE_TOO_LARGE",
    /// CT normalisation needs foreground statistics, but no training case has a label above 0.
    NoIntensities = "ERR_NO_INTENSITIES",
    /// The plans name an unknown normalisation. The message names the known ones.
    NormalizationScheme = "ERR_NORMALIZATION_SCHEME",
    /// The plans name an unknown preprocessor. The message names the known ones.
    Preprocessor = "ERR_PREPROCESSOR",
    /// The median case has an axis without voxels at the planned spacing. Choose a smaller spacing.
    EmptyStage = "ERR_EMPTY_STAGE",
    /// A patch is too small for its poolings. Choose a larger patch.
    PatchTooSmall = "ERR_PATCH_TOO_SMALL",
    /// No patch size fits the planned memory. Set the patch size in the options.
    NothingFits = "ERR_NOTHING_FITS",
    /// A preprocessed case lacks its array. Preprocess it again.
    CaseMissing = "ERR_CASE_MISSING",
    /// A case's properties lack valid class locations. Preprocess it again.
    ClassLocations = "ERR_CLASS_LOCATIONS",
    /// Weightmaps are missing, or their shapes differ from their cases. Run `nnunet-diag weightmaps`.
    Weightmaps = "ERR_WEIGHTMAPS",
    /// A weightmap has a negative or non-finite weight. Write it again with `nnunet-diag weightmaps`.
    WeightmapValue = "ERR_WEIGHTMAP_VALUE",
    /// Some cases have no annotated voxel to centre patches on. Annotate them, or skip them with
    /// `skipUnannotated`.
    NoAnnotation = "ERR_NO_ANNOTATION",
    /// A loaded patch has no annotated voxel, which DIAG's sampling does not support. Use the sampling
    /// `annotated`.
    NoAnnotationInPatch = "ERR_NO_ANNOTATION_IN_PATCH",
    /// The disk has too little space for the unpacked cases. Free some space, or train with `unpack: false`.
    NoSpace = "ERR_NO_SPACE",
    /// Arrays of an augmentation have different shapes.
    AugmentShape = "ERR_AUGMENT_SHAPE",
    /// An output buffer of an augmentation has the wrong length.
    AugmentLength = "ERR_AUGMENT_LENGTH",
    /// A batch was requested from a loader after its last one.
    LoaderFinished = "ERR_LOADER_FINISHED",
    /// A libtorch operation failed. `details.reason` has libtorch's message.
    Torch = "ERR_TORCH",
    /// The device does not exist on this machine. The message lists the available devices.
    Device = "ERR_DEVICE",
    /// The device does not support the precision. Use `auto`.
    Precision = "ERR_PRECISION",
    /// The network cannot be built, or does not accept this patch size. The message names valid values.
    Network = "ERR_NETWORK",
    /// A checkpoint is not from nnU-Net v1 or v2, lacks an entry, is of another network, or has parameters that are not
    /// float32 or not finite.
    Checkpoint = "ERR_CHECKPOINT",
    /// The ranks of a training could not exchange data, or could not meet. Check the addresses, ports and network.
    Collective = "ERR_COLLECTIVE",
    /// Another rank of a training failed, ended or stopped responding. The message names the rank and its cause. Run again
    /// with `continue`.
    RankFailed = "ERR_RANK_FAILED",
    /// Loss or gradients are not finite. The message says whether the data or the learning rate is the cause.
    Diverged = "ERR_DIVERGED",
    /// A label is not below the number of classes. Run `nnunet-diag check`.
    LabelRange = "ERR_LABEL_RANGE",
    /// Cases have unlabelled voxels (-1), which the trainer takes for background. Choose a sparse trainer, or
    /// a recipe with `ignoreLabel: -1`. `details.cases` names the cases.
    UnlabelledNotIgnored = "ERR_UNLABELLED_NOT_IGNORED",
    /// A case has labels that its `presentLabels` leave out. `details.labels` names them by case.
    PresentLabels = "ERR_PRESENT_LABELS",
    /// A model cannot be used for prediction. The message states the reason.
    Model = "ERR_MODEL",
    /// The network's prediction of a case is not finite, also in float32. The image has extreme values, or the model is
    /// damaged.
    SoftmaxNotFinite = "ERR_SOFTMAX_NOT_FINITE",
    /// The models of an ensemble disagree about a case: its classes, size or position. `details` has both values. Use
    /// models of the same task, and their predictions of the same images.
    EnsembleMismatch = "ERR_ENSEMBLE_MISMATCH",
    /// A folder of segmentations could not be listed or created. Check the permissions.
    Folder = "ERR_FOLDER",
    /// A reference has no prediction. Predict the case, or pass `predictedOnly`.
    MissingPrediction = "ERR_MISSING_PREDICTION",
    /// A prediction has no reference. Add it, or remove the prediction.
    MissingReference = "ERR_MISSING_REFERENCE",
    /// A prediction and its reference, or an image and its segmentation by the first stage of a cascade, have different
    /// shapes.
    ShapeMismatch = "ERR_SHAPE_MISMATCH",
    /// A prediction and its reference differ in spacing, origin or direction. Raise `tolerance` to accept the
    /// difference.
    GeometryMismatch = "ERR_GEOMETRY_MISMATCH",
    /// No case has a requested label. Correct the labels, or pass `absentLabels`. `details.found` lists the labels
    /// that occur.
    LabelsAbsent = "ERR_LABELS_ABSENT",
    /// The references have labels that the predictions cannot have. Choose the references of the same task, name the
    /// labels to evaluate, or ignore unlabelled voxels with `ignoreLabel`.
    LabelsUnknown = "ERR_LABELS_UNKNOWN",
    /// Connected components need one to three axes.
    ComponentRank = "ERR_COMPONENT_RANK",
    /// An image is too large for connected components.
    ComponentSize = "ERR_COMPONENT_SIZE",
    /// A summary.json is invalid. Evaluate the predictions again.
    SummaryFile = "ERR_SUMMARY_FILE",
    /// The evaluation of a part of the cases is invalid, of other options, or older than its files. Evaluate the part again.
    EvaluationPart = "ERR_EVALUATION_PART",
    /// A postprocessing.json is invalid. The message states the reason.
    PostprocessingFile = "ERR_POSTPROCESSING_FILE",
    /// Label 0 is the background. Its components cannot be removed.
    PostprocessingBackground = "ERR_POSTPROCESSING_BACKGROUND",
    /// A region has no minimum component size. Add it to postprocessing.json.
    PostprocessingMinimumSize = "ERR_POSTPROCESSING_MINIMUM_SIZE",
    /// There are no prebuilt binaries for this platform. The message lists those that there are. Build from source.
    Platform = "ERR_PLATFORM",
    /// The package with the native addons is not installed. The message has the `npm install` command.
    AddonMissing = "ERR_ADDON_MISSING",
    /// The native addon is of another version than the package. Install both in the same version.
    AddonVersion = "ERR_ADDON_VERSION",
    /// The C library of this system is another one or too old. The message says what was found and what is needed.
    Libc = "ERR_LIBC",
    /// The native addon cannot be loaded. The message states the reason.
    AddonBroken = "ERR_ADDON_BROKEN",
    /// No libtorch was found. Run `nnunet-diag libtorch install`.
    LibtorchMissing = "ERR_LIBTORCH_MISSING",
    /// The version of libtorch differs from the one the addon needs. Run `nnunet-diag libtorch install`.
    LibtorchVersion = "ERR_LIBTORCH_VERSION",
    /// The libtorch found is damaged or incomplete. Run `nnunet-diag libtorch install --force`.
    LibtorchBroken = "ERR_LIBTORCH_BROKEN",
    /// libtorch could not be installed. The message has the last lines of pip's output.
    LibtorchInstall = "ERR_LIBTORCH_INSTALL",
    /// A wheel could not be unpacked. Download it again.
    Wheel = "ERR_WHEEL",
    /// A configuration file cannot be read or has invalid content. Correct the file at the path in the message.
    Config = "ERR_CONFIG",
    /// A command of nnU-Net v1 has no counterpart here yet.
    Shim = "ERR_SHIM",
    /// Slurm is not installed, refused a command, or the folder has no submission. The message has Slurm's own words.
    Slurm = "ERR_SLURM",
    /// The package that draws PNG files is not installed. Run `npm install @resvg/resvg-js`, or write SVG.
    NoPng = "ERR_NO_PNG",
    /// No font was found for the text of a PNG.
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
