//! Elementary functions as branch-free polynomials, so that loops over them use eight SIMD lanes.

/// Base-2 logarithm of a positive normal number; relative error below 3e-7.
#[inline(always)]
pub(crate) fn log2(x: f32) -> f32 {
    // Mantissa in [2/3, 4/3), for full precision near 1.
    let bits = x.to_bits();
    let exponent = (bits.wrapping_sub(0x3F2A_AAAB) as i32) >> 23;
    let mantissa = f32::from_bits(bits.wrapping_sub((exponent as u32) << 23));
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let q = s * s;
    // 2 artanh(s) / ln 2, |s| <= 1/5.
    let series = (1.0_f32 / 11.0)
        .mul_add(q, 1.0 / 9.0)
        .mul_add(q, 1.0 / 7.0)
        .mul_add(q, 1.0 / 5.0)
        .mul_add(q, 1.0 / 3.0)
        .mul_add(q, 1.0);
    (2.0 * std::f32::consts::LOG2_E * s).mul_add(series, exponent as f32)
}

/// 2 to the power `y` for -126 <= y <= 126; relative error below 3e-7.
#[inline(always)]
pub(crate) fn exp2(y: f32) -> f32 {
    const C: [f32; 8] = [
        1.0,
        std::f32::consts::LN_2,
        0.240_226_5,
        0.055_504_11,
        0.009_618_129,
        0.001_333_355_8,
        0.000_154_035_3,
        0.000_015_252_734,
    ];
    let whole = y.round_ties_even();
    let f = y - whole;
    let mut p = C[7];
    for k in (0..7).rev() {
        p = p.mul_add(f, C[k]);
    }
    // Adding to the exponent bits multiplies by a power of two.
    f32::from_bits(p.to_bits().wrapping_add((whole as i32 as u32) << 23))
}

/// `x` to the power `g` for x in [0, 1] and g > 0.
#[inline(always)]
pub(crate) fn power(x: f32, g: f32) -> f32 {
    let y = (g * log2(x)).max(-126.0);
    let value = exp2(y);
    if x < f32::MIN_POSITIVE {
        0.0
    } else {
        value
    }
}

/// Sine and cosine of 2 pi u for u in [0, 1]; absolute error below 2e-7.
#[inline(always)]
pub(crate) fn sin_cos_turns(u: f32) -> (f32, f32) {
    let quarter = (4.0 * u).round_ties_even();
    let a = (u - 0.25 * quarter) * std::f32::consts::TAU;
    let q = a * a;
    let sin = a
        * (-1.0_f32 / 5040.0)
            .mul_add(q, 1.0 / 120.0)
            .mul_add(q, -1.0 / 6.0)
            .mul_add(q, 1.0);
    let cos = (1.0_f32 / 40320.0)
        .mul_add(q, -1.0 / 720.0)
        .mul_add(q, 1.0 / 24.0)
        .mul_add(q, -0.5)
        .mul_add(q, 1.0);
    let turn = quarter as i32;
    let (s, c) = if turn & 1 == 0 { (sin, cos) } else { (cos, sin) };
    // Quadrants 2 and 3 negate the sine, 1 and 2 the cosine.
    let s = if turn & 2 == 0 { s } else { -s };
    let c = if (turn + 1) & 2 == 0 { c } else { -c };
    (s, c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agree_with_f64() {
        for i in 1..=100_000 {
            let x = i as f32 / 100_000.0;
            let exact = f64::from(x);
            assert!(
                (f64::from(log2(x)) - exact.log2()).abs() <= 3e-7 * exact.log2().abs() + 1e-9,
                "log2 {x}"
            );
            for g in [0.7_f32, 1.0, 1.5] {
                let found = f64::from(power(x, g));
                assert!(
                    (found - exact.powf(f64::from(g))).abs() < 2e-6,
                    "{x}^{g}: {found}"
                );
            }
            let (s, c) = sin_cos_turns(x);
            let angle = exact * std::f64::consts::TAU;
            assert!(
                (f64::from(s) - angle.sin()).abs() < 6e-7 && (f64::from(c) - angle.cos()).abs() < 6e-7,
                "{x}"
            );
        }
        for i in -1260..=1260 {
            let y = i as f32 / 10.0;
            let exact = f64::from(y).exp2();
            assert!((f64::from(exp2(y)) - exact).abs() < 3e-7 * exact, "exp2 {y}");
        }
        assert_eq!(power(0.0, 0.7), 0.0);
        assert_eq!(power(1.0, 1.3), 1.0);
    }
}
