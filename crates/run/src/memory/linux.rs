//! Linux: `/proc/meminfo` and the control groups of both versions.

use std::fs;
use std::path::Path;

use super::Memory;

/// Limit and use of a control group, in bytes.
#[derive(Clone, Copy, Debug)]
struct Group {
    limit: u64,
    swap: u64,
    used: u64,
}

/// Reads below `root`, which is `/` outside tests.
pub(super) fn read(root: &Path) -> Option<Memory> {
    let info = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let kib = |key| value(&info, key).map(|kib| kib.saturating_mul(1024));
    let total = kib("MemTotal:")?;
    // Linux before 3.14 has no MemAvailable.
    let available = kib("MemAvailable:").or_else(|| kib("MemFree:"))?;
    let machine = Memory {
        available,
        capacity: total.saturating_add(kib("SwapTotal:").unwrap_or(0)),
    };
    let limited = |memory: Memory, group: Group| Memory {
        available: memory.available.min(group.limit.saturating_sub(group.used)),
        capacity: memory.capacity.min(group.limit.saturating_add(group.swap)),
    };
    let mut found = groups(root).into_iter().fold(machine, limited);
    for left in left_of_limits(root) {
        found.available = found.available.min(left);
    }
    Some(found)
}

/// Bytes that this process may still take under `ulimit -v` (addresses) and `ulimit -d` (writable memory), where they are
/// limited.
fn left_of_limits(root: &Path) -> Vec<u64> {
    let read = |file| fs::read_to_string(root.join(file)).unwrap_or_default();
    let (limits, status) = (read("proc/self/limits"), read("proc/self/status"));
    let left = |(limit, used): (&str, &str)| {
        let limit = limits.lines().find_map(|line| line.strip_prefix(limit))?;
        let limit: u64 = limit.split_whitespace().next()?.parse().ok()?;
        Some(limit.saturating_sub(value(&status, used)?.saturating_mul(1024)))
    };
    [("Max address space", "VmSize:"), ("Max data size", "VmData:")]
        .into_iter()
        .filter_map(left)
        .collect()
}

/// Memory of this process, below `root`.
pub(super) fn resident(root: &Path) -> Option<u64> {
    let status = fs::read_to_string(root.join("proc/self/status")).ok()?;
    value(&status, "VmRSS:").map(|kib| kib.saturating_mul(1024))
}

/// The control groups of this process and their parents. Each limits the memory.
fn groups(root: &Path) -> Vec<Group> {
    let text = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let mut found = Vec::new();
    for line in text.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let (mount, read): (_, fn(&Path) -> Option<Group>) = match controllers {
            "" => ("sys/fs/cgroup", version_2),
            list if list.split(',').any(|name| name == "memory") => ("sys/fs/cgroup/memory", version_1),
            _ => continue,
        };
        let mount = root.join(mount);
        // A container may show the path of the host, which does not exist below its own mount.
        let own = mount.join(path.trim_start_matches('/'));
        let parents = own.ancestors().take_while(|folder| folder.starts_with(&mount));
        found.extend(parents.filter_map(read));
    }
    found
}

fn version_2(folder: &Path) -> Option<Group> {
    let stat = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    Some(Group {
        limit: number(&folder.join("memory.max"))?,
        // "max" or no file: not limited.
        swap: number(&folder.join("memory.swap.max")).unwrap_or(u64::MAX),
        used: in_use(&folder.join("memory.current"), value(&stat, "inactive_file")),
    })
}

fn version_1(folder: &Path) -> Option<Group> {
    let stat = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let limit = number(&folder.join("memory.limit_in_bytes"))?;
    let both = number(&folder.join("memory.memsw.limit_in_bytes"));
    Some(Group {
        limit,
        swap: both.map_or(u64::MAX, |both| both.saturating_sub(limit)),
        used: in_use(
            &folder.join("memory.usage_in_bytes"),
            value(&stat, "total_inactive_file"),
        ),
    })
}

/// Used memory without the file cache, which the kernel gives back when memory is needed.
fn in_use(file: &Path, cache: Option<u64>) -> u64 {
    number(file).unwrap_or(0).saturating_sub(cache.unwrap_or(0))
}

fn number(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// The number after a key at the start of a line.
fn value(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some(key)).then(|| words.next()?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn machine(files: &[(&str, &str)]) -> Memory {
        let folder = tempfile::tempdir().unwrap();
        let info =
            "MemTotal: 16777216 kB\nMemFree: 1024 kB\nMemAvailable: 8388608 kB\nSwapTotal: 1048576 kB\n";
        for (path, text) in [("proc/meminfo", info)].iter().chain(files) {
            let file = folder.path().join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        read(folder.path()).unwrap()
    }

    #[test]
    fn without_groups_the_machine_counts() {
        let expected = Memory {
            available: 8 * GIB,
            capacity: 17 * GIB,
        };
        assert_eq!(machine(&[]), expected);
        let unlimited = [
            ("proc/self/cgroup", "0::/job\n"),
            ("sys/fs/cgroup/job/memory.max", "max\n"),
        ];
        assert_eq!(machine(&unlimited), expected);
    }

    #[test]
    fn the_tightest_group_of_version_2_counts_and_its_file_cache_does_not() {
        let found = machine(&[
            ("proc/self/cgroup", "0::/job/step\n"),
            ("sys/fs/cgroup/job/step/memory.max", "max\n"),
            ("sys/fs/cgroup/job/memory.max", "4294967296\n"),
            ("sys/fs/cgroup/job/memory.swap.max", "0\n"),
            ("sys/fs/cgroup/job/memory.current", "3221225472\n"),
            (
                "sys/fs/cgroup/job/memory.stat",
                "anon 1\ninactive_file 2147483648\n",
            ),
        ]);
        assert_eq!(
            found,
            Memory {
                available: 3 * GIB,
                capacity: 4 * GIB
            }
        );
    }

    #[test]
    fn limits_of_addresses_and_writable_memory_count() {
        let limits = |addresses: &str, data: &str| {
            let text = format!(
                "Limit Soft Limit Hard Limit Units\nMax data size             {data} unlimited bytes\n\
                 Max address space         {addresses} unlimited bytes\n"
            );
            let status = "VmSize:\t 1048576 kB\nVmRSS:\t 1024 kB\nVmData:\t 524288 kB\n";
            machine(&[("proc/self/limits", &text), ("proc/self/status", status)]).available
        };
        assert_eq!(limits("3221225472", "unlimited"), 2 * GIB);
        assert_eq!(limits("1024", "unlimited"), 0);
        assert_eq!(limits("unlimited", "unlimited"), 8 * GIB);
        assert_eq!(limits("unlimited", "2147483648"), GIB + GIB / 2);
        assert_eq!(limits("2147483648", "2147483648"), GIB);
    }

    #[test]
    fn groups_of_version_1_and_paths_of_the_host() {
        let found = machine(&[
            (
                "proc/self/cgroup",
                "5:cpu,cpuacct:/x\n4:hugetlb,memory:/docker/abc\n",
            ),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "2147483648\n"),
            ("sys/fs/cgroup/memory/memory.usage_in_bytes", "1073741824\n"),
            ("sys/fs/cgroup/memory/memory.memsw.limit_in_bytes", "3221225472\n"),
        ]);
        assert_eq!(
            found,
            Memory {
                available: GIB,
                capacity: 3 * GIB
            }
        );
    }
}
