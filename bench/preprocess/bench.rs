//! Plans and preprocesses a task: `bench-preprocess '{"task": "501", "folders": {...}}' [workers]`, with the options of
//! [`preprocess::Options`] as JSON. Prints the summary as JSON.

use preprocess::{plan_and_preprocess, Options};
use run::Context;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let options: Options = serde_json::from_str(&arguments.next().unwrap_or_default())?;
    let workers = arguments.next().map_or(Ok(0), |w| w.parse())?;
    let summary = plan_and_preprocess(&options, &Context::silent(workers))?;
    println!("{}", serde_json::to_string_pretty(&summary)?);
    Ok(())
}
