// Made from the Rust types by `npm run build` (crates/schema). Do not edit.

/** What each error code means, and what to do. */
export const ERROR_CODES = {
  /** The native addon does not load. The message has the reason. */
  ERR_ADDON_BROKEN: 'The native addon does not load. The message has the reason.',
  /** The native addon for this platform is not installed. Install the package again. */
  ERR_ADDON_MISSING: 'The native addon for this platform is not installed. Install the package again.',
  /** An array has an element type that is not supported here. The message names the supported types. */
  ERR_ARRAY_DTYPE: 'An array has an element type that is not supported here. The message names the supported types.',
  /** An array has a value that does not fit the expected type. Write the array again with fitting values. */
  ERR_ARRAY_VALUE: 'An array has a value that does not fit the expected type. Write the array again with fitting values.',
  /** A destination buffer of an augmentation has the wrong length. */
  ERR_AUGMENT_LENGTH: 'A destination buffer of an augmentation has the wrong length.',
  /** Arrays of an augmentation differ in shape. */
  ERR_AUGMENT_SHAPE: 'Arrays of an augmentation differ in shape.',
  /** The caller stopped the work. */
  ERR_CANCELLED: 'The caller stopped the work.',
  /** Some cases failed where all are needed. `details.failures` lists them. Repair them and run again. */
  ERR_CASES_FAILED: 'Some cases failed where all are needed. `details.failures` lists them. Repair them and run again.',
  /** A preprocessed case lacks its array. Preprocess it again. */
  ERR_CASE_MISSING: 'A preprocessed case lacks its array. Preprocess it again.',
  /** A case has too few or too many images for the plans. Give one image for each modality. */
  ERR_CASE_MODALITIES: 'A case has too few or too many images for the plans. Give one image for each modality.',
  /**
   * The files of a case differ in shape, or its array is not that of a preprocessed case. Repair the
   * case.
   */
  ERR_CASE_SHAPE: 'The files of a case differ in shape, or its array is not that of a preprocessed case. Repair the case.',
  /** A resampled case does not fit the memory of the machine. Check its spacing. */
  ERR_CASE_TOO_LARGE: 'A resampled case does not fit the memory of the machine. Check its spacing.',
  /** A case lacks the file of a channel. Add it, or remove the case. */
  ERR_CHANNEL_MISSING: 'A case lacks the file of a channel. Add it, or remove the case.',
  /** A checkpoint cannot be used: it is not of nnU-Net v1, or lacks an entry. */
  ERR_CHECKPOINT: 'A checkpoint cannot be used: it is not of nnU-Net v1, or lacks an entry.',
  /** A checkpoint is not a valid archive. Copy or write it again. */
  ERR_CHECKPOINT_ARCHIVE: 'A checkpoint is not a valid archive. Copy or write it again.',
  /** A case's properties lack usable class locations. Preprocess it again. */
  ERR_CLASS_LOCATIONS: 'A case\'s properties lack usable class locations. Preprocess it again.',
  /** Connected components need one to three axes. */
  ERR_COMPONENT_RANK: 'Connected components need one to three axes.',
  /** An image is too large for connected components. */
  ERR_COMPONENT_SIZE: 'An image is too large for connected components.',
  /** Some entries of a folder could not be copied. `details` lists all of them. */
  ERR_COPY_TREE: 'Some entries of a folder could not be copied. `details` lists all of them.',
  /** A cropped case is not of the expected form. Crop it again. */
  ERR_CROPPED_SHAPE: 'A cropped case is not of the expected form. Crop it again.',
  /** The operating system refused to read a file or folder of a task. Check the permissions. */
  ERR_DATASET_IO: 'The operating system refused to read a file or folder of a task. Check the permissions.',
  /**
   * A record of a task (dataset.json, plans, splits) is not what nnU-Net writes. The message names file
   * and entry.
   */
  ERR_DATASET_RECORD: 'A record of a task (dataset.json, plans, splits) is not what nnU-Net writes. The message names file and entry.',
  /** A data set uses a feature that nnU-Net v1 cannot express. The message says which, and what to do. */
  ERR_DATASET_UNSUPPORTED: 'A data set uses a feature that nnU-Net v1 cannot express. The message says which, and what to do.',
  /** The device does not exist on this machine. The message names those that do. */
  ERR_DEVICE: 'The device does not exist on this machine. The message names those that do.',
  /** The disk or the quota is full. What was on disk before is unchanged. Free some space and run again. */
  ERR_DISK_FULL: 'The disk or the quota is full. What was on disk before is unchanged. Free some space and run again.',
  /** Loss or gradients are not finite. Lower the initial learning rate, or train in float32. */
  ERR_DIVERGED: 'Loss or gradients are not finite. Lower the initial learning rate, or train in float32.',
  /** The bound on the distance is negative or not a number. */
  ERR_EDT_BOUND: 'The bound on the distance is negative or not a number.',
  /** The output of a distance transform is not contiguous in C order. */
  ERR_EDT_LAYOUT: 'The output of a distance transform is not contiguous in C order.',
  /** A mask has no axis, or more than three. */
  ERR_EDT_RANK: 'A mask has no axis, or more than three.',
  /** Output and mask of a distance transform differ in shape. */
  ERR_EDT_SHAPE: 'Output and mask of a distance transform differ in shape.',
  /** A spacing is missing or out of range. Give one positive number for each axis. */
  ERR_EDT_SPACING: 'A spacing is missing or out of range. Give one positive number for each axis.',
  /** Every voxel of a case is 0. Repair the case, or leave it out. */
  ERR_EMPTY_IMAGE: 'Every voxel of a case is 0. Repair the case, or leave it out.',
  /** The median case has no voxel at the planned spacing. Choose a smaller spacing. */
  ERR_EMPTY_STAGE: 'The median case has no voxel at the planned spacing. Choose a smaller spacing.',
  /** The crop of a case does not fit its image: the properties belong to another image. */
  ERR_EXPORT_CROP: 'The crop of a case does not fit its image: the properties belong to another image.',
  /** The regions of an export do not fit the channels of the softmax. */
  ERR_EXPORT_REGIONS: 'The regions of an export do not fit the channels of the softmax.',
  /** A softmax does not have the size of the case's cropped region. */
  ERR_EXPORT_SHAPE: 'A softmax does not have the size of the case\'s cropped region.',
  /** The plans' axes are not a permutation. The plans are damaged. */
  ERR_EXPORT_TRANSPOSE: 'The plans\' axes are not a permutation. The plans are damaged.',
  /** The type of a file is not one that can be inspected. The message names the types. */
  ERR_FILE_KIND: 'The type of a file is not one that can be inspected. The message names the types.',
  /** A file ends before the data that its header announces. Write it again. */
  ERR_FILE_TRUNCATED: 'A file ends before the data that its header announces. Write it again.',
  /** The operating system refused to list or create a folder of segmentations. Check the permissions. */
  ERR_FOLDER: 'The operating system refused to list or create a folder of segmentations. Check the permissions.',
  /**
   * One of nnU-Net's folders is needed, and neither an option nor an environment variable names it. Set
   * one of them.
   */
  ERR_FOLDER_UNSET: 'One of nnU-Net\'s folders is needed, and neither an option nor an environment variable names it. Set one of them.',
  /**
   * A prediction and its reference differ in spacing, origin or direction. Raise `tolerance` if that is
   * harmless.
   */
  ERR_GEOMETRY_MISMATCH: 'A prediction and its reference differ in spacing, origin or direction. Raise `tolerance` if that is harmless.',
  /** A gzip file is damaged. Write or copy it again. */
  ERR_GZIP: 'A gzip file is damaged. Write or copy it again.',
  /** An image holds several channels. Split it into one file per modality. */
  ERR_IMAGE_CHANNELS: 'An image holds several channels. Split it into one file per modality.',
  /** A bug in this package. Please report it with the message. */
  ERR_INTERNAL: 'A bug in this package. Please report it with the message.',
  /** The operating system refused to read or write a file. The message says why. Check the permissions. */
  ERR_IO: 'The operating system refused to read or write a file. The message says why. Check the permissions.',
  /** A label is not below the number of classes. Run `nnunet-diag check`. */
  ERR_LABEL_RANGE: 'A label is not below the number of classes. Run `nnunet-diag check`.',
  /** A label map has a value that is not a label. Labels are whole numbers from -32768 to 32767. */
  ERR_LABEL_VALUE: 'A label map has a value that is not a label. Labels are whole numbers from -32768 to 32767.',
  /** The libtorch found is damaged or incomplete. Run `nnunet-diag libtorch install --force`. */
  ERR_LIBTORCH_BROKEN: 'The libtorch found is damaged or incomplete. Run `nnunet-diag libtorch install --force`.',
  /** libtorch could not be installed. The message has the last lines of pip. */
  ERR_LIBTORCH_INSTALL: 'libtorch could not be installed. The message has the last lines of pip.',
  /** No libtorch was found. Run `nnunet-diag libtorch install`. */
  ERR_LIBTORCH_MISSING: 'No libtorch was found. Run `nnunet-diag libtorch install`.',
  /** The libtorch found is of another version than the addon needs. Run `nnunet-diag libtorch install`. */
  ERR_LIBTORCH_VERSION: 'The libtorch found is of another version than the addon needs. Run `nnunet-diag libtorch install`.',
  /** A symbolic link points to a folder that contains it. Remove it or exclude it. */
  ERR_LINK_CYCLE: 'A symbolic link points to a folder that contains it. Remove it or exclude it.',
  /** A loader was asked for a batch after its last one. */
  ERR_LOADER_FINISHED: 'A loader was asked for a batch after its last one.',
  /** A reference has no prediction. Predict the case, or pass `predictedOnly`. */
  ERR_MISSING_PREDICTION: 'A reference has no prediction. Predict the case, or pass `predictedOnly`.',
  /** A prediction has no reference. Add it, or remove the prediction. */
  ERR_MISSING_REFERENCE: 'A prediction has no reference. Add it, or remove the prediction.',
  /** A model cannot be used for prediction. The message says why. */
  ERR_MODEL: 'A model cannot be used for prediction. The message says why.',
  /** A folder is not that of a model. Name the folder that holds `fold_0` or `all`. */
  ERR_MODEL_FOLDER: 'A folder is not that of a model. Name the folder that holds `fold_0` or `all`.',
  /** The network cannot be built, or cannot take patches of this size. The message says what fits. */
  ERR_NETWORK: 'The network cannot be built, or cannot take patches of this size. The message says what fits.',
  /** A NIfTI header has no usable position in space. Correct its affine or spacing. */
  ERR_NIFTI_GEOMETRY: 'A NIfTI header has no usable position in space. Correct its affine or spacing.',
  /** A file is not a readable NIfTI image. Convert it, or write it again. */
  ERR_NIFTI_HEADER: 'A file is not a readable NIfTI image. Convert it, or write it again.',
  /** An array or its geometry cannot be written as NIfTI. The message says what does not fit. */
  ERR_NIFTI_WRITE: 'An array or its geometry cannot be written as NIfTI. The message says what does not fit.',
  /** The plans name an unknown normalisation. The message names the known ones. */
  ERR_NORMALIZATION_SCHEME: 'The plans name an unknown normalisation. The message names the known ones.',
  /** No patch fits the memory that is planned for. Give the patch size by hand. */
  ERR_NOTHING_FITS: 'No patch fits the memory that is planned for. Give the patch size by hand.',
  /**
   * A task, folder, model or file does not exist. The message says where it was looked for and what to
   * run first.
   */
  ERR_NOT_FOUND: 'A task, folder, model or file does not exist. The message says where it was looked for and what to run first.',
  /**
   * Cases have no annotated voxel to centre patches on. Annotate them, or skip them with
   * `skipUnannotated`.
   */
  ERR_NO_ANNOTATION: 'Cases have no annotated voxel to centre patches on. Annotate them, or skip them with `skipUnannotated`.',
  /**
   * A loaded patch has no annotated voxel, which the fork's sampling cannot use. Use the sampling
   * `annotated`.
   */
  ERR_NO_ANNOTATION_IN_PATCH: 'A loaded patch has no annotated voxel, which the fork\'s sampling cannot use. Use the sampling `annotated`.',
  /** A folder or task has no case. Check the folder and the names of its files. */
  ERR_NO_CASES: 'A folder or task has no case. Check the folder and the names of its files.',
  /** No font was found to draw text of a PNG with. */
  ERR_NO_FONT: 'No font was found to draw text of a PNG with.',
  /** CT normalisation lacks the statistics of the foreground: no training case has a label above 0. */
  ERR_NO_INTENSITIES: 'CT normalisation lacks the statistics of the foreground: no training case has a label above 0.',
  /** The disk has no room for the unpacked cases. Free some space, or train with `unpack: false`. */
  ERR_NO_SPACE: 'The disk has no room for the unpacked cases. Free some space, or train with `unpack: false`.',
  /** A file is not a valid npy array. Write it again. */
  ERR_NPY_HEADER: 'A file is not a valid npy array. Write it again.',
  /** An npy array cannot be memory-mapped. Save it C-ordered. */
  ERR_NPY_LAYOUT: 'An npy array cannot be memory-mapped. Save it C-ordered.',
  /** A file is not a valid npz archive. It may be half-written: write it again. */
  ERR_NPZ_ARCHIVE: 'A file is not a valid npz archive. It may be half-written: write it again.',
  /** A member of an npz archive cannot be decompressed. Write the file again. */
  ERR_NPZ_INFLATE: 'A member of an npz archive cannot be decompressed. Write the file again.',
  /** An npz archive has no array of the expected name. The message names the arrays that it has. */
  ERR_NPZ_MEMBER: 'An npz archive has no array of the expected name. The message names the arrays that it has.',
  /**
   * An option is unknown, missing, of the wrong type or out of range, or two options contradict each
   * other. The message names each option, the value found and the value expected.
   */
  ERR_OPTIONS: 'An option is unknown, missing, of the wrong type or out of range, or two options contradict each other. The message names each option, the value found and the value expected.',
  /** The machine or the device has too little memory. The message says how much was asked for. */
  ERR_OUT_OF_MEMORY: 'The machine or the device has too little memory. The message says how much was asked for.',
  /** A patch is smaller than its poolings need. Choose a larger patch. */
  ERR_PATCH_TOO_SMALL: 'A patch is smaller than its poolings need. Choose a larger patch.',
  /** A pattern of file names is not valid. The message says where. */
  ERR_PATTERN: 'A pattern of file names is not valid. The message says where.',
  /** A pickle names a class that is not on the list of safe ones. Nothing in it was executed. */
  ERR_PICKLE_GLOBAL: 'A pickle names a class that is not on the list of safe ones. Nothing in it was executed.',
  /** The operating system refused to read a pickle or checkpoint. Check the permissions. */
  ERR_PICKLE_IO: 'The operating system refused to read a pickle or checkpoint. Check the permissions.',
  /** A pickle asks for more memory than its size allows. The file is damaged, or was made to do harm. */
  ERR_PICKLE_LIMIT: 'A pickle asks for more memory than its size allows. The file is damaged, or was made to do harm.',
  /** A file is not a valid pickle, or is damaged. Copy or write it again. */
  ERR_PICKLE_MALFORMED: 'A file is not a valid pickle, or is damaged. Copy or write it again.',
  /** A pickle or checkpoint ends too early. Copy or write it again. */
  ERR_PICKLE_TRUNCATED: 'A pickle or checkpoint ends too early. Copy or write it again.',
  /** A value has no counterpart in the supported subset of pickles. */
  ERR_PICKLE_UNSUPPORTED: 'A value has no counterpart in the supported subset of pickles.',
  /** A record lacks a key, or has a value of another type. The message names file and key. */
  ERR_PICKLE_VALUE: 'A record lacks a key, or has a value of another type. The message names file and key.',
  /** Label 0 is the background, whose components cannot be removed. */
  ERR_POSTPROCESSING_BACKGROUND: 'Label 0 is the background, whose components cannot be removed.',
  /** A postprocessing.json cannot be used. The message says why. */
  ERR_POSTPROCESSING_FILE: 'A postprocessing.json cannot be used. The message says why.',
  /** A region has no minimum size of components. Add it to postprocessing.json. */
  ERR_POSTPROCESSING_MINIMUM_SIZE: 'A region has no minimum size of components. Add it to postprocessing.json.',
  /** The device does not support the precision. Use `auto`. */
  ERR_PRECISION: 'The device does not support the precision. Use `auto`.',
  /** The plans name an unknown preprocessor. The message names the known ones. */
  ERR_PREPROCESSOR: 'The plans name an unknown preprocessor. The message names the known ones.',
  /** The operating system refused to create or remove a file of preprocessing. Check the permissions. */
  ERR_PREPROCESS_IO: 'The operating system refused to create or remove a file of preprocessing. Check the permissions.',
  /** The axis to resample separately does not exist. */
  ERR_RESAMPLE_AXIS: 'The axis to resample separately does not exist.',
  /** A spline order is not supported. Use 0, 1 or 3. */
  ERR_RESAMPLE_ORDER: 'A spline order is not supported. Use 0, 1 or 3.',
  /** A shape to resample from or to has an axis without voxels. */
  ERR_RESAMPLE_SHAPE: 'A shape to resample from or to has an axis without voxels.',
  /** A spacing is not a positive number on every axis. */
  ERR_RESAMPLE_SPACING: 'A spacing is not a positive number on every axis.',
  /** Source and destination of a copy are the same file. Name another destination. */
  ERR_SAME_FILE: 'Source and destination of a copy are the same file. Name another destination.',
  /** A prediction has another shape than its reference. */
  ERR_SHAPE_MISMATCH: 'A prediction has another shape than its reference.',
  /** A pipe, socket or device cannot be copied. Exclude it. */
  ERR_SPECIAL_FILE: 'A pipe, socket or device cannot be copied. Exclude it.',
  /** Splits or groups do not fit the cases of the task. `details.cases` names the cases. */
  ERR_SPLITS: 'Splits or groups do not fit the cases of the task. `details.cases` names the cases.',
  /** The task has splits. Pass `overwrite` to replace them; a copy is kept. */
  ERR_SPLITS_EXIST: 'The task has splits. Pass `overwrite` to replace them; a copy is kept.',
  /** The operating system refused to copy or write a file. Check the permissions. */
  ERR_STORAGE_IO: 'The operating system refused to copy or write a file. Check the permissions.',
  /** A summary.json cannot be used. Evaluate the predictions again. */
  ERR_SUMMARY_FILE: 'A summary.json cannot be used. Evaluate the predictions again.',
  /** Several tasks have the number given. Pass the whole name. */
  ERR_TASK_AMBIGUOUS: 'Several tasks have the number given. Pass the whole name.',
  /** The task exists. Pass `overwrite` to convert into it. */
  ERR_TASK_EXISTS: 'The task exists. Pass `overwrite` to convert into it.',
  /** A name is not that of a task. Expected are a number, TaskXXX_NAME, or a path to such a folder. */
  ERR_TASK_NAME: 'A name is not that of a task. Expected are a number, TaskXXX_NAME, or a path to such a folder.',
  /** Another task has the number of the new one. Choose another name. */
  ERR_TASK_NUMBER_TAKEN: 'Another task has the number of the new one. Choose another name.',
  /** The operating system refused to start a thread. Use fewer workers. */
  ERR_THREADS: 'The operating system refused to start a thread. Use fewer workers.',
  /** There are fewer cases or patients than folds. Train with `--fold all`, or provide splits. */
  ERR_TOO_FEW_CASES: 'There are fewer cases or patients than folds. Train with `--fold all`, or provide splits.',
  /** libtorch refused an operation. `details.reason` has its own words. */
  ERR_TORCH: 'libtorch refused an operation. `details.reason` has its own words.',
  /** The operating system refused to read an image or a file of arrays. Check the permissions. */
  ERR_VOLUME_IO: 'The operating system refused to read an image or a file of arrays. Check the permissions.',
  /** Weightmaps are missing or do not have the shape of their cases. Run `nnunet-diag weightmaps`. */
  ERR_WEIGHTMAPS: 'Weightmaps are missing or do not have the shape of their cases. Run `nnunet-diag weightmaps`.',
  /** A case has no segmentation channel. Preprocess the case again. */
  ERR_WEIGHTMAP_CHANNELS: 'A case has no segmentation channel. Preprocess the case again.',
  /** A class is not a label of the data set, or cannot be one of a weightmap. Name other classes. */
  ERR_WEIGHTMAP_CLASS: 'A class is not a label of the data set, or cannot be one of a weightmap. Name other classes.',
  /** dataset.json beside the preprocessed cases cannot be used. Correct it, or name the classes. */
  ERR_WEIGHTMAP_DATASET_JSON: 'dataset.json beside the preprocessed cases cannot be used. Correct it, or name the classes.',
  /** A case is neither .npz nor .npy. Choose another pattern. */
  ERR_WEIGHTMAP_EXTENSION: 'A case is neither .npz nor .npy. Choose another pattern.',
  /** The operating system refused to read or create a folder of weightmaps. Check the permissions. */
  ERR_WEIGHTMAP_FOLDER: 'The operating system refused to read or create a folder of weightmaps. Check the permissions.',
  /** The file is itself a weightmap. Choose a pattern that excludes `*_weightmap.npy`. */
  ERR_WEIGHTMAP_IS_WEIGHTMAP: 'The file is itself a weightmap. Choose a pattern that excludes `*_weightmap.npy`.',
  /** A segmentation has a value that is not a whole number. Preprocess the case again. */
  ERR_WEIGHTMAP_LABEL: 'A segmentation has a value that is not a whole number. Preprocess the case again.',
  /** No file of the folder matches the pattern. Name a folder of preprocessed cases. */
  ERR_WEIGHTMAP_NO_CASES: 'No file of the folder matches the pattern. Name a folder of preprocessed cases.',
  /** No class is given and there is no dataset.json to take them from. Name the classes. */
  ERR_WEIGHTMAP_NO_CLASSES: 'No class is given and there is no dataset.json to take them from. Name the classes.',
  /** A case lacks the .pkl that its spacing is in. Preprocess the case again. */
  ERR_WEIGHTMAP_NO_PROPERTIES: 'A case lacks the .pkl that its spacing is in. Preprocess the case again.',
  /** A case's array does not have the axes (channel, z, y, x). Preprocess the case again. */
  ERR_WEIGHTMAP_RANK: 'A case\'s array does not have the axes (channel, z, y, x). Preprocess the case again.',
  /** Two cases would write the same weightmap. Choose a pattern that matches one of them. */
  ERR_WEIGHTMAP_SAME_OUTPUT: 'Two cases would write the same weightmap. Choose a pattern that matches one of them.',
  /** A case has more voxels than the mode `instances` can number. Use another mode. */
  ERR_WEIGHTMAP_SIZE: 'A case has more voxels than the mode `instances` can number. Use another mode.',
  /** A case's spacing is not three positive numbers. Preprocess the case again. */
  ERR_WEIGHTMAP_SPACING: 'A case\'s spacing is not three positive numbers. Preprocess the case again.',
  /**
   * A weightmap has a weight that is negative or not finite. Write it again with `nnunet-diag
   * weightmaps`.
   */
  ERR_WEIGHTMAP_VALUE: 'A weightmap has a weight that is negative or not finite. Write it again with `nnunet-diag weightmaps`.',
  /** A wheel could not be unpacked. Download it again. */
  ERR_WHEEL: 'A wheel could not be unpacked. Download it again.',
} as const;

/** The code of an {@link NnunetError}. */
export type ErrorCode = keyof typeof ERROR_CODES;
