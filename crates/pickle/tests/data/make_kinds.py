# -*- coding: utf-8 -*-
"""Writes kinds_protocol{0..5}.pkl (Python 3.11, numpy 1.26), kinds_numpy2.pkl (numpy 2) and kinds_python2_protocol{0,1,2}.pkl.

Run with each interpreter in turn; `tests/all/kinds.rs` holds the same values.
"""
import pickle
import sys
from collections import OrderedDict, defaultdict

if sys.version_info[0] == 2:
    import io
    value = OrderedDict([('text', 'abc\n\\\'"'), ('unicode', u'\xe9\u20ac'), ('raw', '\xff\x00'), ('long', 2 ** 70),
                         ('small', 7), ('flag', True), ('float', 0.1), ('set', set([3])), ('list', [1, (2, None)])])
    for protocol in (0, 1, 2):
        with io.open('kinds_python2_protocol%d.pkl' % protocol, 'wb') as f:
            pickle.dump(value, f, protocol)
    sys.exit()

import numpy as np

lists = defaultdict(list)
lists['k'].append(1)
value = {
    'none': None, 'true': True, 'ints': [0, 255, 256, 65535, 65536, -1, 2 ** 31, -2 ** 31 - 1, 2 ** 63 - 1, -2 ** 63],
    'big': [2 ** 63, -2 ** 63 - 1, 2 ** 100], 'floats': [0.1, float('inf'), -0.0],
    'text': 'größe €\n\\u0041', 'long_text': 'x' * 300, 'bytes': bytes(range(256)), 'bytearray': bytearray(b'ab\xff'),
    'tuples': [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)], 'ordered': OrderedDict([(2, 'b'), (1, 'a')]),
    'default': lists, 'set': {5}, 'frozenset': frozenset([(1, 2)]), 'nested': {'a': {'b': [{}]}},
    'arrays': {t: np.array([0, 1, 2, 100], dtype=t) for t in
               ['?', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'f2', 'f4', 'f8', 'c8', 'c16']},
    'big_endian': np.array([1, -2, 3], dtype='>i4'), 'fortran': np.asfortranarray(np.arange(6.).reshape(2, 3)),
    'zero_d': np.array(2.5), 'empty': np.zeros((0, 3)), 'strings': np.array(['a', 'größe']),
    'byte_strings': np.array([b'a', b'xyz']), 'big_endian_strings': np.array(['ab'], dtype='>U2'),
    'objects': np.array([None, 'a', 1], dtype=object),
    'scalars': [np.float64(0.5), np.float32(0.5), np.float16(0.5), np.int64(-3), np.uint8(3), np.bool_(True),
                np.str_('ab')],
}
shared = [1, 2]
value['shared'] = [shared, shared]
if np.__version__.startswith('2'):
    with open('kinds_numpy2.pkl', 'wb') as f:
        pickle.dump(value, f, 5)
else:
    for protocol in range(6):
        with open('kinds_protocol%d.pkl' % protocol, 'wb') as f:
            pickle.dump(value, f, protocol)
