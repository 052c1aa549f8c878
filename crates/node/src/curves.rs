//! Learning curves as a picture.

use napi_derive::napi;
use node_task::{guard, Failure};
use run::{Code, EpochReport};
use serde_json::json;

/// Size of the picture's width and of its plot's height in pixels.
const SIZE: (u32, u32) = (1000, 480);

/// Draws the curves of `epochs`, a JSON array of `epoch` events, as SVG. `classes` names the foreground
/// classes.
#[napi]
pub fn draw_curves(title: String, epochs: String, classes: Vec<String>) -> napi::Result<String> {
    guard(|| {
        let reports: Vec<EpochReport> = serde_json::from_str(&epochs).map_err(|e| {
            let message = format!("epochs: expected the epoch events of a training, but {e}");
            Failure::new(Code::Options, message, json!({ "problem": e.to_string() }))
        })?;
        let (width, height) = SIZE;
        Ok(curves::progress(&title, &reports, &classes)
            .draw(width, height)
            .to_svg())
    })
    .map_err(Failure::into_napi)
}
