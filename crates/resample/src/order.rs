//! Interpolation orders.

use serde::{Deserialize, Serialize};

use crate::Error;

/// Interpolation order. Serialises as the number 0, 1 or 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub enum Order {
    /// Nearest voxel (order 0).
    Nearest,
    /// Linear in every axis (order 1).
    Linear,
    /// Cubic B-spline through the voxels (order 3).
    Cubic,
}

impl TryFrom<i64> for Order {
    type Error = Error;

    fn try_from(order: i64) -> Result<Self, Error> {
        match order {
            0 => Ok(Self::Nearest),
            1 => Ok(Self::Linear),
            3 => Ok(Self::Cubic),
            found => Err(Error::Order { found }),
        }
    }
}

impl From<Order> for i64 {
    fn from(order: Order) -> Self {
        match order {
            Order::Nearest => 0,
            Order::Linear => 1,
            Order::Cubic => 3,
        }
    }
}
