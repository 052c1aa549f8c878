import { fromNative } from '../errors.js';
import { torch } from '../native/torch.js';
import { type Libtorch, type LibtorchPlace, libtorchPlaces } from './find.js';
import { REQUIRED_VERSION } from './version.js';

/** What libtorch this package would use, and why. */
export interface LibtorchStatus {
  /** Version needed, such as `2.11.x`. */
  readonly needed: string;
  readonly places: readonly LibtorchPlace[];
  /** The one that loads, or `null`. */
  readonly libtorch: Libtorch | null;
  /** Devices that libtorch reports once loaded: `cpu`, `cuda:0 NVIDIA …`. */
  readonly devices: readonly string[];
  /** Precision that `auto` takes on the first device. */
  readonly precision: string | null;
  /** Why it does not load. */
  readonly problem: { code: string; message: string } | null;
}

/** Looks for libtorch, loads it, and asks it for its devices. Never throws. */
export function libtorchStatus(): LibtorchStatus {
  const needed = `${REQUIRED_VERSION}.x`;
  const places = libtorchPlaces();
  try {
    const { devices, precision } = torch().describe();
    const libtorch = places.find((place) => place.libtorch !== null)?.libtorch ?? null;
    return { needed, places, libtorch, devices, precision, problem: null };
  } catch (thrown) {
    const { code, message } = fromNative(thrown);
    return { needed, places, libtorch: null, devices: [], precision: null, problem: { code, message } };
  }
}
