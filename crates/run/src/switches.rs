//! Switches of DIAG's fork of nnU-Net: environment variables `DIAG_NNUNET_…`.

use crate::options::nearest::advice;
use crate::Context;

/// Selects the fork's resampling of the softmax.
pub const ALT_RESAMPLING: &str = "DIAG_NNUNET_ALT_RESAMPLING";

/// Every switch.
const KNOWN: [&str; 1] = [ALT_RESAMPLING];
const PREFIX: &str = "DIAG_NNUNET_";

/// Whether a switch is on. Empty, `0`, `false`, `off` and `no` are off; in the fork, only empty is.
#[must_use]
pub fn is_on(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| is_yes(&value.to_string_lossy()))
}

fn is_yes(value: &str) -> bool {
    let value = value.trim().to_lowercase();
    !["", "0", "false", "off", "no"].contains(&value.as_str())
}

/// Warns of variables that look like a switch but are none, with the nearest name.
pub fn warn_of_unknown(context: &Context) {
    let names = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    for message in unknown(names) {
        context.warn("WARN_UNKNOWN_SWITCH", message, None);
    }
}

fn unknown(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut found: Vec<_> = names
        .filter(|name| name.to_uppercase().starts_with(PREFIX) && !KNOWN.contains(&name.as_str()))
        .map(|name| {
            let nearest = advice(&name, KNOWN);
            format!(
                "the environment variable {name} is unknown and ignored{nearest}; known: {}",
                KNOWN.join(", ")
            )
        })
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn off_is_written_in_several_ways() {
        for off in ["", " ", "0", "false", "False", "OFF", "no", " No\n"] {
            assert!(!is_yes(off), "{off:?}");
        }
        for on in ["1", "true", "on", "yes", "2", "y", "00"] {
            assert!(is_yes(on), "{on:?}");
        }
    }

    #[test]
    fn unknown_switches_are_told_with_the_nearest_one() {
        let names = [
            "DIAG_NNUNET_ALT_RESAMPLING",
            "DIAG_NNUNET_ALT_RESAMPLNG",
            "DIAG_NNUNET_ALTRESAMPLING",
            "diag_nnunet_alt_resampling",
            "DIAG_NNUNET_VERBOSE_LOGS",
            "PATH",
            "nnUNet_preprocessed",
            "NNUNET_DIAG_CACHE",
        ];
        let found = unknown(names.into_iter().map(str::to_owned));
        assert_eq!(found.len(), 4);
        for message in &found {
            let near = message.contains("; did you mean DIAG_NNUNET_ALT_RESAMPLING?");
            assert_eq!(near, !message.contains("VERBOSE"), "{message}");
        }
    }
}
