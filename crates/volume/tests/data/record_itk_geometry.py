"""Records what SimpleITK makes of NIfTI-1 headers: itk_geometry.json.

Made with SimpleITK 2.5.7 (ITK 5.4), numpy 2.4.6: python record_itk_geometry.py > itk_geometry.json
"""

import json
import struct
import tempfile

import numpy as np
import SimpleITK as sitk

SHAPE = (2, 3, 4)  # x, y, z


def rotation(q):
    a, b, c, d = q
    return np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - c * c - b * b],
        ]
    )


def header(dim, pixdim, units, qcode, scode, quatern, qoffset, srow):
    h = bytearray(352)
    struct.pack_into("<i", h, 0, 348)
    struct.pack_into("<8h", h, 40, *dim)
    struct.pack_into("<hh", h, 70, 2, 8)
    struct.pack_into("<8f", h, 76, *pixdim)
    struct.pack_into("<f", h, 108, 352)
    h[123] = units
    struct.pack_into("<hh", h, 252, qcode, scode)
    struct.pack_into("<3f", h, 256, *quatern)
    struct.pack_into("<3f", h, 268, *qoffset)
    struct.pack_into("<12f", h, 280, *np.asarray(srow).ravel())
    h[344:348] = b"n+1\0"
    return bytes(h)


def read(data):
    with tempfile.NamedTemporaryFile(suffix=".nii") as f:
        f.write(data + bytes(range(24)))
        f.flush()
        try:
            image = sitk.ReadImage(f.name)
        except RuntimeError:
            return {"error": True}
        d = image.GetDimension()
        direction = np.array(image.GetDirection()).reshape(d, d)[:3, :3].ravel()
        return {
            "spacing": image.GetSpacing()[:3],
            "origin": image.GetOrigin()[:3],
            "direction": direction.tolist(),
        }


rng = np.random.default_rng(7)
cases = []


def case(name, qcode, scode, *, units=2, flip=False, negative=None, shear=0.0, differ=0.0, zero=None, dim=None, scale=1.0):
    q = rng.normal(size=4)
    q /= np.linalg.norm(q) * np.sign(q[0])
    spacing = rng.uniform(0.3, 5, 3)
    offset = rng.uniform(-200, 200, 3)
    m = rotation(q) * spacing
    if flip:
        m[:, 2] *= -1
    s = m.copy()
    if differ:
        axis = rng.normal(size=4) * differ
        axis[0] = 1
        s = rotation(axis / np.linalg.norm(axis)) @ s
    s[:, 0] += shear * s[:, 1]
    s = np.c_[s * scale, offset + 10 * differ]
    pixdim = [-1.0 if flip else 1.0, *spacing, 0, 0, 0, 0]
    if negative is not None:
        pixdim[negative] *= -1
    if zero is not None:
        pixdim[zero] = 0
    dim = dim or (3, *SHAPE, 1, 1, 1, 1)
    h = header(dim, pixdim, units, qcode, scode, q[1:], offset, s)
    cases.append({"name": name, "header": h.hex(), **read(h)})


for qcode in (0, 1, 2):
    for scode in (0, 1, 2):
        for differ in (0, 1e-6, 1e-2, 0.5):
            if differ and not (qcode and scode):
                continue
            case(f"codes q{qcode} s{scode} differ {differ}", qcode, scode, differ=differ)
            case(f"codes q{qcode} s{scode} differ {differ} flipped", qcode, scode, differ=differ, flip=True)
        case(f"shear q{qcode} s{scode}", qcode, scode, shear=0.1)
        case(f"tiny shear q{qcode} s{scode}", qcode, scode, shear=1e-6)
for units in (0, 1, 3, 10, 11, 9):
    case(f"units {units}", 1, 1, units=units)
for axis in (1, 2, 3):
    case(f"negative pixdim {axis}, sform", 0, 1, negative=axis)
    case(f"negative pixdim {axis}, qform", 1, 0, negative=axis)
    case(f"zero pixdim {axis}", 0, 1, zero=axis)
case("4D with one volume", 1, 1, dim=(4, *SHAPE, 1, 1, 1, 1))
case("5D of ones", 1, 1, dim=(5, *SHAPE, 1, 1, 1, 1))
case("4D with two volumes", 1, 1, dim=(4, 2, 3, 2, 2, 1, 1, 1))
case("unused dims 0", 1, 1, dim=(3, *SHAPE, 0, 0, 0, 0))
case("sform of another scale", 0, 1, scale=2.0)
print("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]")
