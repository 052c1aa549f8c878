import { fromNative } from '../errors.js';
import { torch } from '../native/torch.js';
import { type Libtorch, type LibtorchPlace, libtorchPlaces } from './find.js';
import { REQUIRED_VERSION } from './version.js';

/** Result of {@link libtorchStatus}. */
export interface LibtorchStatus {
  /** Version needed, such as `2.11.x`. */
  readonly needed: string;
  /** Locations searched, in order of precedence. */
  readonly places: readonly LibtorchPlace[];
  /** The libtorch in use; `null` if none loads. */
  readonly libtorch: Libtorch | null;
  /** Devices that libtorch reports: `cpu`, `cuda:0 NVIDIA …`. */
  readonly devices: readonly string[];
  /** Precision that `auto` selects on the first device; `null` if no libtorch loads. */
  readonly precision: string | null;
  /** Why none loads; `null` if one does. */
  readonly problem: { code: string; message: string } | null;
}

/** Finds and loads libtorch and lists its devices. Never throws. */
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
