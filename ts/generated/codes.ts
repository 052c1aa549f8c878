// Made from the Rust types by `npm run build` (crates/schema). Do not edit.

/** What each error code means, and what to do. */
export const ERROR_CODES = {
  /** The native addon cannot be loaded. The message states the reason. */
  ERR_ADDON_BROKEN: 'The native addon cannot be loaded. The message states the reason.',
  /** The package with the native addons is not installed. The message has the `npm install` command. */
  ERR_ADDON_MISSING: 'The package with the native addons is not installed. The message has the `npm install` command.',
  /** The native addon is of another version than the package. Install both in the same version. */
  ERR_ADDON_VERSION: 'The native addon is of another version than the package. Install both in the same version.',
  /**
   * The plans of a model of nnU-Net v2 describe a network that is not known here, or that cannot be
   * built. The message names the entry, its value and the known ones.
   */
  ERR_ARCHITECTURE: 'The plans of a model of nnU-Net v2 describe a network that is not known here, or that cannot be built. The message names the entry, its value and the known ones.',
  /** An array has an unsupported element type. The message names the supported types. */
  ERR_ARRAY_DTYPE: 'An array has an unsupported element type. The message names the supported types.',
  /**
   * An array has a value outside the range of the expected type. Correct the values and write the array
   * again.
   */
  ERR_ARRAY_VALUE: 'An array has a value outside the range of the expected type. Correct the values and write the array again.',
  /** An output buffer of an augmentation has the wrong length. */
  ERR_AUGMENT_LENGTH: 'An output buffer of an augmentation has the wrong length.',
  /** Arrays of an augmentation have different shapes. */
  ERR_AUGMENT_SHAPE: 'Arrays of an augmentation have different shapes.',
  /** The caller cancelled the work. */
  ERR_CANCELLED: 'The caller cancelled the work.',
  /**
   * Some cases failed, and the verb needs all of them. `details.failures` lists them. Repair them and
   * run again.
   */
  ERR_CASES_FAILED: 'Some cases failed, and the verb needs all of them. `details.failures` lists them. Repair them and run again.',
  /** A preprocessed case lacks its array. Preprocess it again. */
  ERR_CASE_MISSING: 'A preprocessed case lacks its array. Preprocess it again.',
  /** A case has too few or too many images for the plans. Give one image per modality. */
  ERR_CASE_MODALITIES: 'A case has too few or too many images for the plans. Give one image per modality.',
  /**
   * The images of a case have different shapes, or its array is not a preprocessed case. Repair the
   * case.
   */
  ERR_CASE_SHAPE: 'The images of a case have different shapes, or its array is not a preprocessed case. Repair the case.',
  /** A resampled case does not fit into memory. Check its spacing. */
  ERR_CASE_TOO_LARGE: 'A resampled case does not fit into memory. Check its spacing.',
  /** A case lacks the image of a channel. Add it, or remove the case. */
  ERR_CHANNEL_MISSING: 'A case lacks the image of a channel. Add it, or remove the case.',
  /**
   * A checkpoint is not from nnU-Net v1 or v2, lacks an entry, is of another network, or has parameters
   * that are not float32 or not finite.
   */
  ERR_CHECKPOINT: 'A checkpoint is not from nnU-Net v1 or v2, lacks an entry, is of another network, or has parameters that are not float32 or not finite.',
  /** A checkpoint is not a valid archive. Copy or write it again. */
  ERR_CHECKPOINT_ARCHIVE: 'A checkpoint is not a valid archive. Copy or write it again.',
  /** A case's properties lack valid class locations. Preprocess it again. */
  ERR_CLASS_LOCATIONS: 'A case\'s properties lack valid class locations. Preprocess it again.',
  /**
   * The ranks of a training could not exchange data, or could not meet. Check the addresses, ports and
   * network.
   */
  ERR_COLLECTIVE: 'The ranks of a training could not exchange data, or could not meet. Check the addresses, ports and network.',
  /** Connected components need one to three axes. */
  ERR_COMPONENT_RANK: 'Connected components need one to three axes.',
  /** An image is too large for connected components. */
  ERR_COMPONENT_SIZE: 'An image is too large for connected components.',
  /**
   * A configuration file cannot be read or has invalid content. Correct the file at the path in the
   * message.
   */
  ERR_CONFIG: 'A configuration file cannot be read or has invalid content. Correct the file at the path in the message.',
  /** Some entries of a folder could not be copied. `details` lists all of them. */
  ERR_COPY_TREE: 'Some entries of a folder could not be copied. `details` lists all of them.',
  /** A cropped case has an unexpected format. Crop it again. */
  ERR_CROPPED_SHAPE: 'A cropped case has an unexpected format. Crop it again.',
  /** A file or folder of a task could not be read. Check the permissions. */
  ERR_DATASET_IO: 'A file or folder of a task could not be read. Check the permissions.',
  /**
   * A record of a task (dataset.json, plans, splits) does not have nnU-Net's format. The message names
   * file and entry.
   */
  ERR_DATASET_RECORD: 'A record of a task (dataset.json, plans, splits) does not have nnU-Net\'s format. The message names file and entry.',
  /** A dataset uses a feature that nnU-Net v1 cannot express. The message names it and the remedy. */
  ERR_DATASET_UNSUPPORTED: 'A dataset uses a feature that nnU-Net v1 cannot express. The message names it and the remedy.',
  /** The device does not exist on this machine. The message lists the available devices. */
  ERR_DEVICE: 'The device does not exist on this machine. The message lists the available devices.',
  /**
   * The disk is full or the quota is used up. Existing files are unchanged. Free some space and run
   * again.
   */
  ERR_DISK_FULL: 'The disk is full or the quota is used up. Existing files are unchanged. Free some space and run again.',
  /**
   * Loss or gradients are not finite. The message says whether the data or the learning rate is the
   * cause.
   */
  ERR_DIVERGED: 'Loss or gradients are not finite. The message says whether the data or the learning rate is the cause.',
  /** The bound on the distance is negative or not a number. */
  ERR_EDT_BOUND: 'The bound on the distance is negative or not a number.',
  /** The output of a distance transform is not contiguous in C order. */
  ERR_EDT_LAYOUT: 'The output of a distance transform is not contiguous in C order.',
  /** A mask has no axes, or more than three. */
  ERR_EDT_RANK: 'A mask has no axes, or more than three.',
  /** Output and mask of a distance transform have different shapes. */
  ERR_EDT_SHAPE: 'Output and mask of a distance transform have different shapes.',
  /** A spacing is missing or out of range. Give one positive number per axis. */
  ERR_EDT_SPACING: 'A spacing is missing or out of range. Give one positive number per axis.',
  /** Every voxel of a case is 0. Repair the case, or remove it. */
  ERR_EMPTY_IMAGE: 'Every voxel of a case is 0. Repair the case, or remove it.',
  /** The median case has an axis without voxels at the planned spacing. Choose a smaller spacing. */
  ERR_EMPTY_STAGE: 'The median case has an axis without voxels at the planned spacing. Choose a smaller spacing.',
  /**
   * The models of an ensemble disagree about a case: its classes, size or position. `details` has both
   * values. Use models of the same task, and their predictions of the same images.
   */
  ERR_ENSEMBLE_MISMATCH: 'The models of an ensemble disagree about a case: its classes, size or position. `details` has both values. Use models of the same task, and their predictions of the same images.',
  /**
   * The evaluation of a part of the cases is invalid, of other options, or older than its files.
   * Evaluate the part again.
   */
  ERR_EVALUATION_PART: 'The evaluation of a part of the cases is invalid, of other options, or older than its files. Evaluate the part again.',
  /** The crop of a case does not fit its image. The properties belong to another image. */
  ERR_EXPORT_CROP: 'The crop of a case does not fit its image. The properties belong to another image.',
  /** The regions of an export do not match the channels of the softmax. */
  ERR_EXPORT_REGIONS: 'The regions of an export do not match the channels of the softmax.',
  /** The shape of a softmax differs from that of the case's cropped region. */
  ERR_EXPORT_SHAPE: 'The shape of a softmax differs from that of the case\'s cropped region.',
  /** The axes in the plans are not a permutation. The plans are damaged. */
  ERR_EXPORT_TRANSPOSE: 'The axes in the plans are not a permutation. The plans are damaged.',
  /** The file to write exists. Choose another name, or pass `overwrite`. */
  ERR_FILE_EXISTS: 'The file to write exists. Choose another name, or pass `overwrite`.',
  /** Files of this type cannot be inspected. The message names the supported types. */
  ERR_FILE_KIND: 'Files of this type cannot be inspected. The message names the supported types.',
  /** A file is shorter than its header announces. Write it again. */
  ERR_FILE_TRUNCATED: 'A file is shorter than its header announces. Write it again.',
  /** A folder of segmentations could not be listed or created. Check the permissions. */
  ERR_FOLDER: 'A folder of segmentations could not be listed or created. Check the permissions.',
  /**
   * An nnU-Net folder is not configured: neither an option nor an environment variable names it. Set one
   * of them.
   */
  ERR_FOLDER_UNSET: 'An nnU-Net folder is not configured: neither an option nor an environment variable names it. Set one of them.',
  /**
   * The fold has checkpoints of an earlier run. Resume it with `continue`, or begin anew with
   * `overwrite`, which keeps the old folder under another name.
   */
  ERR_FOLD_EXISTS: 'The fold has checkpoints of an earlier run. Resume it with `continue`, or begin anew with `overwrite`, which keeps the old folder under another name.',
  /**
   * The splits have no fold of this number. Choose a number below `details.folds`, `all`, or pass
   * `randomSplit`.
   */
  ERR_FOLD_MISSING: 'The splits have no fold of this number. Choose a number below `details.folds`, `all`, or pass `randomSplit`.',
  /** A fold to export has no final checkpoint. Finish its training, or name the folds to export. */
  ERR_FOLD_UNFINISHED: 'A fold to export has no final checkpoint. Finish its training, or name the folds to export.',
  /**
   * A prediction and its reference differ in spacing, origin or direction. Raise `tolerance` to accept
   * the difference.
   */
  ERR_GEOMETRY_MISMATCH: 'A prediction and its reference differ in spacing, origin or direction. Raise `tolerance` to accept the difference.',
  /** A gzip file is damaged. Write or copy it again. */
  ERR_GZIP: 'A gzip file is damaged. Write or copy it again.',
  /** An image has several channels. Split it into one file per modality. */
  ERR_IMAGE_CHANNELS: 'An image has several channels. Split it into one file per modality.',
  /** A bug in this package. Please report it with the message. */
  ERR_INTERNAL: 'A bug in this package. Please report it with the message.',
  /** A file could not be read or written. The message has the system's reason. Check the permissions. */
  ERR_IO: 'A file could not be read or written. The message has the system\'s reason. Check the permissions.',
  /**
   * No case has a requested label. Correct the labels, or pass `absentLabels`. `details.found` lists the
   * labels that occur.
   */
  ERR_LABELS_ABSENT: 'No case has a requested label. Correct the labels, or pass `absentLabels`. `details.found` lists the labels that occur.',
  /**
   * The references have labels that the predictions cannot have. Choose the references of the same task,
   * name the labels to evaluate, or ignore unlabelled voxels with `ignoreLabel`.
   */
  ERR_LABELS_UNKNOWN: 'The references have labels that the predictions cannot have. Choose the references of the same task, name the labels to evaluate, or ignore unlabelled voxels with `ignoreLabel`.',
  /** A label is not below the number of classes. Run `nnunet-diag check`. */
  ERR_LABEL_RANGE: 'A label is not below the number of classes. Run `nnunet-diag check`.',
  /** A label map has an invalid value. Labels are whole numbers from -32768 to 32767. */
  ERR_LABEL_VALUE: 'A label map has an invalid value. Labels are whole numbers from -32768 to 32767.',
  /**
   * `model_latest` is damaged, and another checkpoint of the fold is whole. The message says how to
   * continue from it.
   */
  ERR_LATEST_DAMAGED: '`model_latest` is damaged, and another checkpoint of the fold is whole. The message says how to continue from it.',
  /**
   * The C library of this system is another one or too old. The message says what was found and what is
   * needed.
   */
  ERR_LIBC: 'The C library of this system is another one or too old. The message says what was found and what is needed.',
  /** The libtorch found is damaged or incomplete. Run `nnunet-diag libtorch install --force`. */
  ERR_LIBTORCH_BROKEN: 'The libtorch found is damaged or incomplete. Run `nnunet-diag libtorch install --force`.',
  /** libtorch could not be installed. The message has the last lines of pip's output. */
  ERR_LIBTORCH_INSTALL: 'libtorch could not be installed. The message has the last lines of pip\'s output.',
  /** No libtorch was found. Run `nnunet-diag libtorch install`. */
  ERR_LIBTORCH_MISSING: 'No libtorch was found. Run `nnunet-diag libtorch install`.',
  /** The version of libtorch differs from the one the addon needs. Run `nnunet-diag libtorch install`. */
  ERR_LIBTORCH_VERSION: 'The version of libtorch differs from the one the addon needs. Run `nnunet-diag libtorch install`.',
  /** A symbolic link points to a folder that contains it. Remove it or exclude it. */
  ERR_LINK_CYCLE: 'A symbolic link points to a folder that contains it. Remove it or exclude it.',
  /** A batch was requested from a loader after its last one. */
  ERR_LOADER_FINISHED: 'A batch was requested from a loader after its last one.',
  /**
   * Another process works in the folder. The message names it, its machine and the lock file. Wait for
   * it or stop it.
   */
  ERR_LOCKED: 'Another process works in the folder. The message names it, its machine and the lock file. Wait for it or stop it.',
  /** A reference has no prediction. Predict the case, or pass `predictedOnly`. */
  ERR_MISSING_PREDICTION: 'A reference has no prediction. Predict the case, or pass `predictedOnly`.',
  /** A prediction has no reference. Add it, or remove the prediction. */
  ERR_MISSING_REFERENCE: 'A prediction has no reference. Add it, or remove the prediction.',
  /** A model cannot be used for prediction. The message states the reason. */
  ERR_MODEL: 'A model cannot be used for prediction. The message states the reason.',
  /** A model in memory was used after it was closed. Load it again with `loadModel`. */
  ERR_MODEL_CLOSED: 'A model in memory was used after it was closed. Load it again with `loadModel`.',
  /**
   * A model of the zip file is installed already. Pass `overwrite`, which keeps the old folder under
   * another name.
   */
  ERR_MODEL_EXISTS: 'A model of the zip file is installed already. Pass `overwrite`, which keeps the old folder under another name.',
  /** A folder is not a model folder. Name the folder that contains `fold_0` or `all`. */
  ERR_MODEL_FOLDER: 'A folder is not a model folder. Name the folder that contains `fold_0` or `all`.',
  /**
   * The model folder has other plans, another patch size or another batch size. The message names the
   * differences. All folds of a model share them. Use the same ones, or another model folder; to
   * predict, name folds that have the same plans.
   */
  ERR_MODEL_PLANS: 'The model folder has other plans, another patch size or another batch size. The message names the differences. All folds of a model share them. Use the same ones, or another model folder; to predict, name folds that have the same plans.',
  /**
   * A model of nnU-Net v2 names a class or function that is not known here, other than its network, such
   * as an image reader or a resampling function: `details` has what was found and what is known. Or a
   * model of v1 has a part that v2 does not have, so that `convert` cannot make it one of v2.
   */
  ERR_MODEL_UNSUPPORTED: 'A model of nnU-Net v2 names a class or function that is not known here, other than its network, such as an image reader or a resampling function: `details` has what was found and what is known. Or a model of v1 has a part that v2 does not have, so that `convert` cannot make it one of v2.',
  /**
   * A zip file cannot be installed: it is damaged, has names or sizes that no model has, or contains no
   * model. The message names the entry, what was found and what is expected.
   */
  ERR_MODEL_ZIP: 'A zip file cannot be installed: it is damaged, has names or sizes that no model has, or contains no model. The message names the entry, what was found and what is expected.',
  /** The network cannot be built, or does not accept this patch size. The message names valid values. */
  ERR_NETWORK: 'The network cannot be built, or does not accept this patch size. The message names valid values.',
  /** A NIfTI header has no valid affine. Correct its affine or spacing. */
  ERR_NIFTI_GEOMETRY: 'A NIfTI header has no valid affine. Correct its affine or spacing.',
  /** A file is not a readable NIfTI image. Convert it, or write it again. */
  ERR_NIFTI_HEADER: 'A file is not a readable NIfTI image. Convert it, or write it again.',
  /** An array or its geometry cannot be written as NIfTI. The message states the reason. */
  ERR_NIFTI_WRITE: 'An array or its geometry cannot be written as NIfTI. The message states the reason.',
  /** The plans name an unknown normalisation. The message names the known ones. */
  ERR_NORMALIZATION_SCHEME: 'The plans name an unknown normalisation. The message names the known ones.',
  /** No patch size fits the planned memory. Set the patch size in the options. */
  ERR_NOTHING_FITS: 'No patch size fits the planned memory. Set the patch size in the options.',
  /**
   * An image has voxels that are NaN or infinite. Repair it, or replace them by 0 with `nonfinite:
   * 'zero'`.
   */
  ERR_NOT_FINITE: 'An image has voxels that are NaN or infinite. Repair it, or replace them by 0 with `nonfinite: \'zero\'`.',
  /**
   * A task, folder, model or file does not exist. The message names the path and the command to run
   * first. run first.
   */
  ERR_NOT_FOUND: 'A task, folder, model or file does not exist. The message names the path and the command to run first. run first.',
  /**
   * Some cases have no annotated voxel to centre patches on. Annotate them, or skip them with
   * `skipUnannotated`.
   */
  ERR_NO_ANNOTATION: 'Some cases have no annotated voxel to centre patches on. Annotate them, or skip them with `skipUnannotated`.',
  /**
   * A loaded patch has no annotated voxel, which DIAG's sampling does not support. Use the sampling
   * `annotated`.
   */
  ERR_NO_ANNOTATION_IN_PATCH: 'A loaded patch has no annotated voxel, which DIAG\'s sampling does not support. Use the sampling `annotated`.',
  /** A folder or task has no cases. Check the folder and its file names. */
  ERR_NO_CASES: 'A folder or task has no cases. Check the folder and its file names.',
  /** No font was found for the text of a PNG. */
  ERR_NO_FONT: 'No font was found for the text of a PNG.',
  /** CT normalisation needs foreground statistics, but no training case has a label above 0. */
  ERR_NO_INTENSITIES: 'CT normalisation needs foreground statistics, but no training case has a label above 0.',
  /** The package that draws PNG files is not installed. Run `npm install @resvg/resvg-js`, or write SVG. */
  ERR_NO_PNG: 'The package that draws PNG files is not installed. Run `npm install @resvg/resvg-js`, or write SVG.',
  /**
   * The disk has too little space for the unpacked cases. Free some space, or train with `unpack:
   * false`.
   */
  ERR_NO_SPACE: 'The disk has too little space for the unpacked cases. Free some space, or train with `unpack: false`.',
  /**
   * The intensities that normalise a CT image have no spread, as in a binarised image. Check the images,
   * or name the modality other than CT.
   */
  ERR_NO_SPREAD: 'The intensities that normalise a CT image have no spread, as in a binarised image. Check the images, or name the modality other than CT.',
  /** A file is not a valid npy array. Write it again. */
  ERR_NPY_HEADER: 'A file is not a valid npy array. Write it again.',
  /** An npy array cannot be memory-mapped. Save it C-ordered. */
  ERR_NPY_LAYOUT: 'An npy array cannot be memory-mapped. Save it C-ordered.',
  /** A file is not a valid npz archive. It may be incomplete. Write it again. */
  ERR_NPZ_ARCHIVE: 'A file is not a valid npz archive. It may be incomplete. Write it again.',
  /** A member of an npz archive cannot be decompressed. Write the file again. */
  ERR_NPZ_INFLATE: 'A member of an npz archive cannot be decompressed. Write the file again.',
  /** An npz archive has no array of the expected name. The message lists its arrays. */
  ERR_NPZ_MEMBER: 'An npz archive has no array of the expected name. The message lists its arrays.',
  /**
   * An option is unknown, missing, of the wrong type or out of range, or two options contradict each
   * other. The message names each option, the value found and the value expected.
   */
  ERR_OPTIONS: 'An option is unknown, missing, of the wrong type or out of range, or two options contradict each other. The message names each option, the value found and the value expected.',
  /** The machine or the device has too little memory. The message says how much was requested. */
  ERR_OUT_OF_MEMORY: 'The machine or the device has too little memory. The message says how much was requested.',
  /** A patch is too small for its poolings. Choose a larger patch. */
  ERR_PATCH_TOO_SMALL: 'A patch is too small for its poolings. Choose a larger patch.',
  /** A file name pattern is invalid. The message names the position. */
  ERR_PATTERN: 'A file name pattern is invalid. The message names the position.',
  /** A pickle names a class that is not on the list of safe classes. Nothing in it was executed. */
  ERR_PICKLE_GLOBAL: 'A pickle names a class that is not on the list of safe classes. Nothing in it was executed.',
  /** A pickle or checkpoint could not be read. Check the permissions. */
  ERR_PICKLE_IO: 'A pickle or checkpoint could not be read. Check the permissions.',
  /** A pickle requests more memory than its size allows. The file is damaged or malicious. */
  ERR_PICKLE_LIMIT: 'A pickle requests more memory than its size allows. The file is damaged or malicious.',
  /** A file is not a valid pickle, or is damaged. Copy or write it again. */
  ERR_PICKLE_MALFORMED: 'A file is not a valid pickle, or is damaged. Copy or write it again.',
  /** A pickle or checkpoint is truncated. Copy or write it again. */
  ERR_PICKLE_TRUNCATED: 'A pickle or checkpoint is truncated. Copy or write it again.',
  /** A value cannot be written in the supported subset of pickles. */
  ERR_PICKLE_UNSUPPORTED: 'A value cannot be written in the supported subset of pickles.',
  /** A record lacks a key, or a value has the wrong type. The message names file and key. */
  ERR_PICKLE_VALUE: 'A record lacks a key, or a value has the wrong type. The message names file and key.',
  /**
   * There are no prebuilt binaries for this platform. The message lists those that there are. Build from
   * source.
   */
  ERR_PLATFORM: 'There are no prebuilt binaries for this platform. The message lists those that there are. Build from source.',
  /** Label 0 is the background. Its components cannot be removed. */
  ERR_POSTPROCESSING_BACKGROUND: 'Label 0 is the background. Its components cannot be removed.',
  /** A postprocessing.json is invalid. The message states the reason. */
  ERR_POSTPROCESSING_FILE: 'A postprocessing.json is invalid. The message states the reason.',
  /** A region has no minimum component size. Add it to postprocessing.json. */
  ERR_POSTPROCESSING_MINIMUM_SIZE: 'A region has no minimum component size. Add it to postprocessing.json.',
  /** The device does not support the precision. Use `auto`. */
  ERR_PRECISION: 'The device does not support the precision. Use `auto`.',
  /** The plans name an unknown preprocessor. The message names the known ones. */
  ERR_PREPROCESSOR: 'The plans name an unknown preprocessor. The message names the known ones.',
  /** A file of preprocessing could not be created or removed. Check the permissions. */
  ERR_PREPROCESS_IO: 'A file of preprocessing could not be created or removed. Check the permissions.',
  /** A case has labels that its `presentLabels` leave out. `details.labels` names them by case. */
  ERR_PRESENT_LABELS: 'A case has labels that its `presentLabels` leave out. `details.labels` names them by case.',
  /** A pretrained model has no layer of this network. Choose another one. */
  ERR_PRETRAINED: 'A pretrained model has no layer of this network. Choose another one.',
  /**
   * Another rank of a training failed, ended or stopped responding. The message names the rank and its
   * cause. Run again with `continue`.
   */
  ERR_RANK_FAILED: 'Another rank of a training failed, ended or stopped responding. The message names the rank and its cause. Run again with `continue`.',
  /**
   * A path of a report is no model, no task and no folder of predictions. The message says what was
   * looked for.
   */
  ERR_REPORT_PATH: 'A path of a report is no model, no task and no folder of predictions. The message says what was looked for.',
  /** The axis for separate resampling does not exist. */
  ERR_RESAMPLE_AXIS: 'The axis for separate resampling does not exist.',
  /** A spline order is not supported. Use 0, 1 or 3. */
  ERR_RESAMPLE_ORDER: 'A spline order is not supported. Use 0, 1 or 3.',
  /** The source or target shape of a resampling has an axis of length 0. */
  ERR_RESAMPLE_SHAPE: 'The source or target shape of a resampling has an axis of length 0.',
  /** A spacing has a value that is not positive. */
  ERR_RESAMPLE_SPACING: 'A spacing has a value that is not positive.',
  /** Source and destination of a copy are the same file. Choose another destination. */
  ERR_SAME_FILE: 'Source and destination of a copy are the same file. Choose another destination.',
  /**
   * A prediction and its reference, or an image and its segmentation by the first stage of a cascade,
   * have different shapes.
   */
  ERR_SHAPE_MISMATCH: 'A prediction and its reference, or an image and its segmentation by the first stage of a cascade, have different shapes.',
  /** A command of nnU-Net v1 has no counterpart here yet. */
  ERR_SHIM: 'A command of nnU-Net v1 has no counterpart here yet.',
  /**
   * Slurm is not installed, refused a command, or the folder has no submission. The message has Slurm's
   * own words.
   */
  ERR_SLURM: 'Slurm is not installed, refused a command, or the folder has no submission. The message has Slurm\'s own words.',
  /**
   * The network's prediction of a case is not finite, also in float32. The image has extreme values, or
   * the model is damaged.
   */
  ERR_SOFTMAX_NOT_FINITE: 'The network\'s prediction of a case is not finite, also in float32. The image has extreme values, or the model is damaged.',
  /** A pipe, socket or device cannot be copied. Exclude it. */
  ERR_SPECIAL_FILE: 'A pipe, socket or device cannot be copied. Exclude it.',
  /** Splits or groups do not match the cases of the task. `details.cases` names the cases. */
  ERR_SPLITS: 'Splits or groups do not match the cases of the task. `details.cases` names the cases.',
  /** The task already has splits. Pass `overwrite` to replace them; a copy is kept. */
  ERR_SPLITS_EXIST: 'The task already has splits. Pass `overwrite` to replace them; a copy is kept.',
  /** A file could not be copied or written. Check the permissions. */
  ERR_STORAGE_IO: 'A file could not be copied or written. Check the permissions.',
  /** A summary.json is invalid. Evaluate the predictions again. */
  ERR_SUMMARY_FILE: 'A summary.json is invalid. Evaluate the predictions again.',
  /**
   * The target of a folder's copy exists already. Choose another path, or continue an interrupted copy
   * with `continue`.
   */
  ERR_TARGET_EXISTS: 'The target of a folder\'s copy exists already. Choose another path, or continue an interrupted copy with `continue`.',
  /** Several tasks have the given number. Pass the full name. */
  ERR_TASK_AMBIGUOUS: 'Several tasks have the given number. Pass the full name.',
  /** The task already exists. Choose another name; `convert` takes `overwrite` to write into it. */
  ERR_TASK_EXISTS: 'The task already exists. Choose another name; `convert` takes `overwrite` to write into it.',
  /** A name is not a task name. Use a number, TaskXXX_NAME, or the path of such a folder. */
  ERR_TASK_NAME: 'A name is not a task name. Use a number, TaskXXX_NAME, or the path of such a folder.',
  /** Another task already has this number. Choose another name. */
  ERR_TASK_NUMBER_TAKEN: 'Another task already has this number. Choose another name.',
  /** The system could not start a thread. Use fewer workers. */
  ERR_THREADS: 'The system could not start a thread. Use fewer workers.',
  /** The time of `stopAfter` is over. The state is saved. Run again with `continue`. */
  ERR_TIME_LIMIT: 'The time of `stopAfter` is over. The state is saved. Run again with `continue`.',
  /** There are fewer cases or patients than folds. Train with `--fold all`, or provide splits. */
  ERR_TOO_FEW_CASES: 'There are fewer cases or patients than folds. Train with `--fold all`, or provide splits.',
  /** A libtorch operation failed. `details.reason` has libtorch's message. */
  ERR_TORCH: 'A libtorch operation failed. `details.reason` has libtorch\'s message.',
  /** A volume exists as `.nii` and as `.nii.gz`. Remove one of the two files. */
  ERR_TWO_FILES: 'A volume exists as `.nii` and as `.nii.gz`. Remove one of the two files.',
  /**
   * Cases have unlabelled voxels (-1), which the trainer takes for background. Choose a sparse trainer,
   * or a recipe with `ignoreLabel: -1`. `details.cases` names the cases.
   */
  ERR_UNLABELLED_NOT_IGNORED: 'Cases have unlabelled voxels (-1), which the trainer takes for background. Choose a sparse trainer, or a recipe with `ignoreLabel: -1`. `details.cases` names the cases.',
  /** An image or a file of arrays could not be read. Check the permissions. */
  ERR_VOLUME_IO: 'An image or a file of arrays could not be read. Check the permissions.',
  /** Weightmaps are missing, or their shapes differ from their cases. Run `nnunet-diag weightmaps`. */
  ERR_WEIGHTMAPS: 'Weightmaps are missing, or their shapes differ from their cases. Run `nnunet-diag weightmaps`.',
  /** A case has no segmentation channel. Preprocess the case again. */
  ERR_WEIGHTMAP_CHANNELS: 'A case has no segmentation channel. Preprocess the case again.',
  /** A class is not a label of the dataset, or is not valid in a weightmap. Name other classes. */
  ERR_WEIGHTMAP_CLASS: 'A class is not a label of the dataset, or is not valid in a weightmap. Name other classes.',
  /** The dataset.json beside the preprocessed cases is invalid. Correct it, or name the classes. */
  ERR_WEIGHTMAP_DATASET_JSON: 'The dataset.json beside the preprocessed cases is invalid. Correct it, or name the classes.',
  /** A case is neither .npz nor .npy. Choose another pattern. */
  ERR_WEIGHTMAP_EXTENSION: 'A case is neither .npz nor .npy. Choose another pattern.',
  /** A folder of weightmaps could not be read or created. Check the permissions. */
  ERR_WEIGHTMAP_FOLDER: 'A folder of weightmaps could not be read or created. Check the permissions.',
  /** The file is itself a weightmap. Choose a pattern that excludes `*_weightmap.npy`. */
  ERR_WEIGHTMAP_IS_WEIGHTMAP: 'The file is itself a weightmap. Choose a pattern that excludes `*_weightmap.npy`.',
  /** A segmentation has a fractional value. Preprocess the case again. */
  ERR_WEIGHTMAP_LABEL: 'A segmentation has a fractional value. Preprocess the case again.',
  /** No file in the folder matches the pattern. Name a folder of preprocessed cases. */
  ERR_WEIGHTMAP_NO_CASES: 'No file in the folder matches the pattern. Name a folder of preprocessed cases.',
  /** No classes are given, and there is no dataset.json that lists them. Name the classes. */
  ERR_WEIGHTMAP_NO_CLASSES: 'No classes are given, and there is no dataset.json that lists them. Name the classes.',
  /** A case lacks its .pkl file, which stores the spacing. Preprocess the case again. */
  ERR_WEIGHTMAP_NO_PROPERTIES: 'A case lacks its .pkl file, which stores the spacing. Preprocess the case again.',
  /** A case's array does not have the axes (channel, z, y, x). Preprocess the case again. */
  ERR_WEIGHTMAP_RANK: 'A case\'s array does not have the axes (channel, z, y, x). Preprocess the case again.',
  /** Two cases would write the same weightmap. Choose a pattern that matches only one of them. */
  ERR_WEIGHTMAP_SAME_OUTPUT: 'Two cases would write the same weightmap. Choose a pattern that matches only one of them.',
  /** A case has too many voxels for the mode `instances`. Use another mode. */
  ERR_WEIGHTMAP_SIZE: 'A case has too many voxels for the mode `instances`. Use another mode.',
  /** A case's spacing is not three positive numbers. Preprocess the case again. */
  ERR_WEIGHTMAP_SPACING: 'A case\'s spacing is not three positive numbers. Preprocess the case again.',
  /** A weightmap has a negative or non-finite weight. Write it again with `nnunet-diag weightmaps`. */
  ERR_WEIGHTMAP_VALUE: 'A weightmap has a negative or non-finite weight. Write it again with `nnunet-diag weightmaps`.',
  /** A wheel could not be unpacked. Download it again. */
  ERR_WHEEL: 'A wheel could not be unpacked. Download it again.',
} as const;

/** The code of an {@link NnunetError}. */
export type ErrorCode = keyof typeof ERROR_CODES;
