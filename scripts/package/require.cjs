// CommonJS programs load the package by `require`.
const { distanceTransform, NnunetError } = require('nnunet-diag');

distanceTransform(Uint8Array.of(0, 1, 1, 1), [4])
  .then((distances) => console.log(distances.join(' ')))
  .then(() => distanceTransform(Uint8Array.of(0), [2]))
  .catch((error) => console.log(error instanceof NnunetError, error.code));
