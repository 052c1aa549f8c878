//! Whether a process is alive.

use serde::{Deserialize, Serialize};

/// What distinguishes a process from a later one with the same number, where the system tells: the boot and the time
/// of its start since then. Empty on other systems.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity(String);

impl Identity {
    /// The identity of a running process; `None` if there is no such process.
    pub fn of(pid: u32) -> Option<Self> {
        is_alive(pid).then(|| Self(start(pid).unwrap_or_default()))
    }

    /// The identity as text; empty where the system does not tell.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether both are known and different.
    pub fn differs(&self, other: &Self) -> bool {
        !self.0.is_empty() && !other.0.is_empty() && self != other
    }
}

/// Name of this machine.
#[cfg(unix)]
pub fn host() -> String {
    let mut name = [0u8; 256];
    // SAFETY: the buffer is writable for the given length. The call writes at most that many bytes.
    let result = unsafe { libc::gethostname(name.as_mut_ptr().cast(), name.len()) };
    let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
    match result {
        0 => String::from_utf8_lossy(&name[..end]).into_owned(),
        _ => String::new(),
    }
}

/// Name of this machine.
#[cfg(not(unix))]
pub fn host() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}

#[cfg(unix)]
fn is_alive(pid: u32) -> bool {
    let Ok(pid) = libc::pid_t::try_from(pid) else {
        return false;
    };
    // SAFETY: signal 0 sends nothing; it only checks whether the process exists.
    let found = unsafe { libc::kill(pid, 0) };
    // Without the right to send signals, the process exists.
    found == 0 || std::io::Error::last_os_error().raw_os_error() == Some(libc::EPERM)
}

/// Without a check, a lock is never taken for stale.
#[cfg(not(unix))]
fn is_alive(_: u32) -> bool {
    true
}

/// Boot and start time of a process.
#[cfg(target_os = "linux")]
fn start(pid: u32) -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program, in parentheses, may contain spaces. The start time is field 22.
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks = fields.split_whitespace().nth(19)?;
    Some(format!("{} {ticks}", boot.trim()))
}

#[cfg(not(target_os = "linux"))]
fn start(_: u32) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_alive_and_keeps_its_identity() {
        let identity = Identity::of(std::process::id()).unwrap();
        assert_eq!(Some(&identity), Identity::of(std::process::id()).as_ref());
        assert!(!identity.differs(&identity) && !Identity::default().differs(&identity));
        assert!(!host().is_empty());
    }
}
