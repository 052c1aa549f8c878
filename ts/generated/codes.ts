// Made from the Rust types by `npm run build` (crates/schema). Do not edit.

/** What each error code means, and what to do. */
export const ERROR_CODES = {
  /** The native addon does not load. */
  ERR_ADDON_BROKEN: 'The native addon does not load.',
  /** The native addon for this platform is not installed. */
  ERR_ADDON_MISSING: 'The native addon for this platform is not installed.',
  /** An array has an element type that is not supported here. */
  ERR_ARRAY_DTYPE: 'An array has an element type that is not supported here.',
  /** An array holds a value that the expected type cannot hold. */
  ERR_ARRAY_VALUE: 'An array holds a value that the expected type cannot hold.',
  /** A list has not one value for each axis or channel. */
  ERR_AUGMENT_LENGTH: 'A list has not one value for each axis or channel.',
  /** Arrays of an augmentation differ in shape. */
  ERR_AUGMENT_SHAPE: 'Arrays of an augmentation differ in shape.',
  /** The caller stopped the work. */
  ERR_CANCELLED: 'The caller stopped the work.',
  /** Some cases failed where all are needed. `details.failures` lists them. */
  ERR_CASES_FAILED: 'Some cases failed where all are needed. `details.failures` lists them.',
  /** A preprocessed case lacks its array. Preprocess it again. */
  ERR_CASE_MISSING: 'A preprocessed case lacks its array. Preprocess it again.',
  /** A case has too few or too many images for the plans. */
  ERR_CASE_MODALITIES: 'A case has too few or too many images for the plans.',
  /** The files of a case differ in shape, or its array is not that of a preprocessed case. */
  ERR_CASE_SHAPE: 'The files of a case differ in shape, or its array is not that of a preprocessed case.',
  /** A resampled case does not fit the memory of the machine. Check its spacing. */
  ERR_CASE_TOO_LARGE: 'A resampled case does not fit the memory of the machine. Check its spacing.',
  /** A case lacks the file of a channel. */
  ERR_CHANNEL_MISSING: 'A case lacks the file of a channel.',
  /** A checkpoint cannot be continued or used. */
  ERR_CHECKPOINT: 'A checkpoint cannot be continued or used.',
  /** A checkpoint is not a valid archive. */
  ERR_CHECKPOINT_ARCHIVE: 'A checkpoint is not a valid archive.',
  /** A case's properties lack usable class locations. Preprocess it again. */
  ERR_CLASS_LOCATIONS: 'A case\'s properties lack usable class locations. Preprocess it again.',
  /** Connected components need a three-dimensional mask. */
  ERR_COMPONENT_RANK: 'Connected components need a three-dimensional mask.',
  /** A mask is too large for connected components. */
  ERR_COMPONENT_SIZE: 'A mask is too large for connected components.',
  /** Some entries of a folder could not be copied. `details` lists all of them. */
  ERR_COPY_TREE: 'Some entries of a folder could not be copied. `details` lists all of them.',
  /** A cropped case is not of the expected form. Crop it again. */
  ERR_CROPPED_SHAPE: 'A cropped case is not of the expected form. Crop it again.',
  /** A file or folder of a task could not be read. */
  ERR_DATASET_IO: 'A file or folder of a task could not be read.',
  /** A record of a task (dataset.json, plans, properties) is not what nnU-Net writes. */
  ERR_DATASET_RECORD: 'A record of a task (dataset.json, plans, properties) is not what nnU-Net writes.',
  /** A data set uses a feature that nnU-Net v1 cannot express. */
  ERR_DATASET_UNSUPPORTED: 'A data set uses a feature that nnU-Net v1 cannot express.',
  /** The device does not exist on this machine. */
  ERR_DEVICE: 'The device does not exist on this machine.',
  /** The disk or the quota is full. What was on disk before is unchanged. Free some space and run again. */
  ERR_DISK_FULL: 'The disk or the quota is full. What was on disk before is unchanged. Free some space and run again.',
  /** Loss or gradients are not finite. */
  ERR_DIVERGED: 'Loss or gradients are not finite.',
  /** The bound is not a positive number. */
  ERR_EDT_BOUND: 'The bound is not a positive number.',
  /** An array of a distance transform is not contiguous. */
  ERR_EDT_LAYOUT: 'An array of a distance transform is not contiguous.',
  /** A mask has no axis or too many. */
  ERR_EDT_RANK: 'A mask has no axis or too many.',
  /** Arrays of a distance transform differ in shape. */
  ERR_EDT_SHAPE: 'Arrays of a distance transform differ in shape.',
  /** A spacing is missing or out of range. */
  ERR_EDT_SPACING: 'A spacing is missing or out of range.',
  /** Every voxel of a case is 0. */
  ERR_EMPTY_IMAGE: 'Every voxel of a case is 0.',
  /** The median case vanishes at the planned spacing. */
  ERR_EMPTY_STAGE: 'The median case vanishes at the planned spacing.',
  /** The crop of an export does not fit the image. */
  ERR_EXPORT_CROP: 'The crop of an export does not fit the image.',
  /** The regions of an export do not fit the softmax. */
  ERR_EXPORT_REGIONS: 'The regions of an export do not fit the softmax.',
  /** A softmax does not fit the region that it is exported to. */
  ERR_EXPORT_SHAPE: 'A softmax does not fit the region that it is exported to.',
  /** Axes of an export are not a permutation. */
  ERR_EXPORT_TRANSPOSE: 'Axes of an export are not a permutation.',
  /** An exported segmentation could not be written. */
  ERR_EXPORT_WRITE: 'An exported segmentation could not be written.',
  /** The file is none that can be inspected. */
  ERR_FILE_KIND: 'The file is none that can be inspected.',
  /** A file ends before the data that its header announces. Write it again. */
  ERR_FILE_TRUNCATED: 'A file ends before the data that its header announces. Write it again.',
  /** A folder of segmentations could not be read. */
  ERR_FOLDER: 'A folder of segmentations could not be read.',
  /** One of nnU-Net's folders is needed and neither option nor environment variable names it. */
  ERR_FOLDER_UNSET: 'One of nnU-Net\'s folders is needed and neither option nor environment variable names it.',
  /** A prediction lies at another place than its reference. */
  ERR_GEOMETRY_MISMATCH: 'A prediction lies at another place than its reference.',
  /** A gzip file is damaged. Write or copy it again. */
  ERR_GZIP: 'A gzip file is damaged. Write or copy it again.',
  /** An image holds several channels. Split it into one file per modality. */
  ERR_IMAGE_CHANNELS: 'An image holds several channels. Split it into one file per modality.',
  /** A bug in this package. Please report it with the message. */
  ERR_INTERNAL: 'A bug in this package. Please report it with the message.',
  /** The operating system refused to read or write a file. */
  ERR_IO: 'The operating system refused to read or write a file.',
  /** A label is not below the number of classes. */
  ERR_LABEL_RANGE: 'A label is not below the number of classes.',
  /** A label map holds a value that is not a label. */
  ERR_LABEL_VALUE: 'A label map holds a value that is not a label.',
  /** The libtorch found is damaged or incomplete. Run `nnunet-diag libtorch install --force`. */
  ERR_LIBTORCH_BROKEN: 'The libtorch found is damaged or incomplete. Run `nnunet-diag libtorch install --force`.',
  /** libtorch could not be installed. */
  ERR_LIBTORCH_INSTALL: 'libtorch could not be installed.',
  /** No libtorch was found. Run `nnunet-diag libtorch install`. */
  ERR_LIBTORCH_MISSING: 'No libtorch was found. Run `nnunet-diag libtorch install`.',
  /** The libtorch found is of another version than the addon needs. */
  ERR_LIBTORCH_VERSION: 'The libtorch found is of another version than the addon needs.',
  /** Symbolic links point to each other in a circle. */
  ERR_LINK_CYCLE: 'Symbolic links point to each other in a circle.',
  /** A loader was asked for a batch after its last one. */
  ERR_LOADER_FINISHED: 'A loader was asked for a batch after its last one.',
  /** A reference has no prediction. */
  ERR_MISSING_PREDICTION: 'A reference has no prediction.',
  /** A prediction has no reference. */
  ERR_MISSING_REFERENCE: 'A prediction has no reference.',
  /** A model cannot be used for prediction. */
  ERR_MODEL: 'A model cannot be used for prediction.',
  /** A model folder lacks plans, folds or checkpoints. */
  ERR_MODEL_FOLDER: 'A model folder lacks plans, folds or checkpoints.',
  /** The plans describe a network that cannot be built, or weights do not fit it. */
  ERR_NETWORK: 'The plans describe a network that cannot be built, or weights do not fit it.',
  /** A NIfTI header has no usable geometry. */
  ERR_NIFTI_GEOMETRY: 'A NIfTI header has no usable geometry.',
  /** A file is not a readable NIfTI image. */
  ERR_NIFTI_HEADER: 'A file is not a readable NIfTI image.',
  /** An array or geometry cannot be written as NIfTI. */
  ERR_NIFTI_WRITE: 'An array or geometry cannot be written as NIfTI.',
  /** The plans name an unknown normalisation. */
  ERR_NORMALIZATION_SCHEME: 'The plans name an unknown normalisation.',
  /** No patch fits the memory that is planned for. */
  ERR_NOTHING_FITS: 'No patch fits the memory that is planned for.',
  /**
   * A task, folder, model or file does not exist. The message says where it was looked for and what to
   * run first.
   */
  ERR_NOT_FOUND: 'A task, folder, model or file does not exist. The message says where it was looked for and what to run first.',
  /** Cases have no annotated voxel to centre patches on. */
  ERR_NO_ANNOTATION: 'Cases have no annotated voxel to centre patches on.',
  /** A drawn box holds no annotated voxel, where DIAG's fork fails too. */
  ERR_NO_ANNOTATION_IN_PATCH: 'A drawn box holds no annotated voxel, where DIAG\'s fork fails too.',
  /** A folder or task holds no case. */
  ERR_NO_CASES: 'A folder or task holds no case.',
  /** No font was found to draw text of a PNG with. */
  ERR_NO_FONT: 'No font was found to draw text of a PNG with.',
  /** CT normalisation lacks the statistics of the foreground. */
  ERR_NO_INTENSITIES: 'CT normalisation lacks the statistics of the foreground.',
  /** The disk has no room for the unpacked cases. */
  ERR_NO_SPACE: 'The disk has no room for the unpacked cases.',
  /** A file is not a valid npy array. */
  ERR_NPY_HEADER: 'A file is not a valid npy array.',
  /** An npy array cannot be memory-mapped. Save it C-ordered. */
  ERR_NPY_LAYOUT: 'An npy array cannot be memory-mapped. Save it C-ordered.',
  /** A file is not a valid npz archive. */
  ERR_NPZ_ARCHIVE: 'A file is not a valid npz archive.',
  /** A member of an npz archive cannot be decompressed. */
  ERR_NPZ_INFLATE: 'A member of an npz archive cannot be decompressed.',
  /** An npz archive lacks an array. */
  ERR_NPZ_MEMBER: 'An npz archive lacks an array.',
  /**
   * An option is unknown, missing, of the wrong type or out of range, or two options contradict each
   * other. The message names each option, the value found and the value expected.
   */
  ERR_OPTIONS: 'An option is unknown, missing, of the wrong type or out of range, or two options contradict each other. The message names each option, the value found and the value expected.',
  /** The machine or the device has too little memory. The message says how much was asked for. */
  ERR_OUT_OF_MEMORY: 'The machine or the device has too little memory. The message says how much was asked for.',
  /** A patch is smaller than its poolings need. */
  ERR_PATCH_TOO_SMALL: 'A patch is smaller than its poolings need.',
  /** A file pattern is not valid. */
  ERR_PATTERN: 'A file pattern is not valid.',
  /** A pickle names a class that is not on the list of safe ones. Nothing in it was executed. */
  ERR_PICKLE_GLOBAL: 'A pickle names a class that is not on the list of safe ones. Nothing in it was executed.',
  /** A pickle or checkpoint could not be read. */
  ERR_PICKLE_IO: 'A pickle or checkpoint could not be read.',
  /** A pickle asks for more memory than its size allows. */
  ERR_PICKLE_LIMIT: 'A pickle asks for more memory than its size allows.',
  /** A file is not a valid pickle. */
  ERR_PICKLE_MALFORMED: 'A file is not a valid pickle.',
  /** A pickle or checkpoint ends too early. */
  ERR_PICKLE_TRUNCATED: 'A pickle or checkpoint ends too early.',
  /** A value cannot be written as a pickle. */
  ERR_PICKLE_UNSUPPORTED: 'A value cannot be written as a pickle.',
  /** A record lacks a key or holds a value of another type. */
  ERR_PICKLE_VALUE: 'A record lacks a key or holds a value of another type.',
  /** Postprocessing cannot remove components of the background. */
  ERR_POSTPROCESSING_BACKGROUND: 'Postprocessing cannot remove components of the background.',
  /** A postprocessing.json cannot be read. */
  ERR_POSTPROCESSING_FILE: 'A postprocessing.json cannot be read.',
  /** A minimum size of components is not valid. */
  ERR_POSTPROCESSING_MINIMUM_SIZE: 'A minimum size of components is not valid.',
  /** The device does not support the precision. */
  ERR_PRECISION: 'The device does not support the precision.',
  /** The plans name an unknown preprocessor. */
  ERR_PREPROCESSOR: 'The plans name an unknown preprocessor.',
  /** A folder or file of preprocessing could not be created or removed. */
  ERR_PREPROCESS_IO: 'A folder or file of preprocessing could not be created or removed.',
  /** An axis does not exist. */
  ERR_RESAMPLE_AXIS: 'An axis does not exist.',
  /** A spline order is not supported. */
  ERR_RESAMPLE_ORDER: 'A spline order is not supported.',
  /** A shape to resample from or to is empty. */
  ERR_RESAMPLE_SHAPE: 'A shape to resample from or to is empty.',
  /** A spacing is not a positive number. */
  ERR_RESAMPLE_SPACING: 'A spacing is not a positive number.',
  /** Source and destination of a copy are the same file. */
  ERR_SAME_FILE: 'Source and destination of a copy are the same file.',
  /** A prediction has another shape than its reference. */
  ERR_SHAPE_MISMATCH: 'A prediction has another shape than its reference.',
  /** A pipe, socket or device cannot be copied. */
  ERR_SPECIAL_FILE: 'A pipe, socket or device cannot be copied.',
  /** Splits or groups do not fit the cases of the task. */
  ERR_SPLITS: 'Splits or groups do not fit the cases of the task.',
  /** The task has splits. Pass `overwrite` to replace them; a copy is kept. */
  ERR_SPLITS_EXIST: 'The task has splits. Pass `overwrite` to replace them; a copy is kept.',
  /** A file could not be copied or written. */
  ERR_STORAGE_IO: 'A file could not be copied or written.',
  /** A summary.json cannot be read. */
  ERR_SUMMARY_FILE: 'A summary.json cannot be read.',
  /** Several tasks have the number given. Pass the whole name. */
  ERR_TASK_AMBIGUOUS: 'Several tasks have the number given. Pass the whole name.',
  /** The task exists. Pass `overwrite` to convert into it. */
  ERR_TASK_EXISTS: 'The task exists. Pass `overwrite` to convert into it.',
  /** A task's name is not of the form TaskXXX_NAME. */
  ERR_TASK_NAME: 'A task\'s name is not of the form TaskXXX_NAME.',
  /** Another task has the number of the new one. */
  ERR_TASK_NUMBER_TAKEN: 'Another task has the number of the new one.',
  /** The system refused to start a thread. Use fewer workers. */
  ERR_THREADS: 'The system refused to start a thread. Use fewer workers.',
  /** There are fewer cases or patients than folds. */
  ERR_TOO_FEW_CASES: 'There are fewer cases or patients than folds.',
  /** libtorch refused an operation. */
  ERR_TORCH: 'libtorch refused an operation.',
  /** A file of arrays or an image could not be read. */
  ERR_VOLUME_IO: 'A file of arrays or an image could not be read.',
  /** Weightmaps are missing or do not have the shape of their cases. */
  ERR_WEIGHTMAPS: 'Weightmaps are missing or do not have the shape of their cases.',
  /** A case has no segmentation channel. */
  ERR_WEIGHTMAP_CHANNELS: 'A case has no segmentation channel.',
  /** A class cannot be one of a weightmap. */
  ERR_WEIGHTMAP_CLASS: 'A class cannot be one of a weightmap.',
  /** dataset.json beside the preprocessed cases cannot be used. */
  ERR_WEIGHTMAP_DATASET_JSON: 'dataset.json beside the preprocessed cases cannot be used.',
  /** A case is neither .npz nor .npy. */
  ERR_WEIGHTMAP_EXTENSION: 'A case is neither .npz nor .npy.',
  /** A folder of weightmaps could not be read or created. */
  ERR_WEIGHTMAP_FOLDER: 'A folder of weightmaps could not be read or created.',
  /** The file is itself a weightmap. */
  ERR_WEIGHTMAP_IS_WEIGHTMAP: 'The file is itself a weightmap.',
  /** A segmentation holds a value that is no label. */
  ERR_WEIGHTMAP_LABEL: 'A segmentation holds a value that is no label.',
  /** No file of the folder matches the pattern. */
  ERR_WEIGHTMAP_NO_CASES: 'No file of the folder matches the pattern.',
  /** No class is given and dataset.json names none. */
  ERR_WEIGHTMAP_NO_CLASSES: 'No class is given and dataset.json names none.',
  /** A case lacks the .pkl that its spacing is in. */
  ERR_WEIGHTMAP_NO_PROPERTIES: 'A case lacks the .pkl that its spacing is in.',
  /** The matching pattern is not valid. */
  ERR_WEIGHTMAP_PATTERN: 'The matching pattern is not valid.',
  /** A case's array does not have four axes. */
  ERR_WEIGHTMAP_RANK: 'A case\'s array does not have four axes.',
  /** Two cases would write the same weightmap. */
  ERR_WEIGHTMAP_SAME_OUTPUT: 'Two cases would write the same weightmap.',
  /** A case has too many voxels. */
  ERR_WEIGHTMAP_SIZE: 'A case has too many voxels.',
  /** A case's spacing cannot be used. */
  ERR_WEIGHTMAP_SPACING: 'A case\'s spacing cannot be used.',
  /** A weightmap holds a weight that is negative or not finite. */
  ERR_WEIGHTMAP_VALUE: 'A weightmap holds a weight that is negative or not finite.',
  /** A wheel could not be unpacked. */
  ERR_WHEEL: 'A wheel could not be unpacked.',
} as const;

/** The code of an {@link NnunetError}. */
export type ErrorCode = keyof typeof ERROR_CODES;
