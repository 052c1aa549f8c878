//! Where a spatial transform writes.

/// Where a spatial transform writes.
pub(crate) struct Output<'a> {
    /// (channel, z, y, x) of the patch.
    pub data: &'a mut [f32],
    /// (channel, z, y, x) of the patch, the sample's channels.
    pub seg: &'a mut [i16],
    /// (z, y, x) of the patch; with a weightmap.
    pub weightmap: Option<&'a mut [f32]>,
    /// Where the image was cut off by its mask, if asked for.
    pub empty: Option<Empty<'a>>,
}

/// Where the image was cut off by its mask.
pub(crate) struct Empty<'a> {
    /// 1 where all of `channels` are exactly 0, or outside the loaded patch.
    pub voxels: &'a mut [u8],
    /// For each image channel, whether it was cut off.
    pub channels: &'a [bool],
}
