//! Output arrays of a spatial transform.

/// Output arrays of a spatial transform.
pub(crate) struct Output<'a> {
    /// (channel, z, y, x) of the patch.
    pub data: &'a mut [f32],
    /// (channel, z, y, x) of the patch, the sample's channels.
    pub seg: &'a mut [i16],
    /// (z, y, x) of the patch, if there is a weightmap.
    pub weightmap: Option<&'a mut [f32]>,
    /// Voxels outside the image's mask, if requested.
    pub empty: Option<Empty<'a>>,
}

/// Voxels outside the image's mask.
pub(crate) struct Empty<'a> {
    /// 1 where all of `channels` are exactly 0, or outside the loaded patch.
    pub voxels: &'a mut [u8],
    /// For each image channel, whether it is masked.
    pub channels: &'a [bool],
}
