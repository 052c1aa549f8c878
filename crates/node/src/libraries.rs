//! Opens libtorch with global visibility before the `torch` addon is loaded, and unpacks its wheels.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use napi::bindgen_prelude::AsyncTask;
use napi::{Env, Task};
use napi_derive::napi;
use node_task::Failure;
use run::Code;
use serde_json::json;

use crate::elf;

/// Opens the shared libraries in this order. They stay open until the process ends.
#[napi]
pub fn preload(paths: Vec<String>) -> napi::Result<()> {
    for path in &paths {
        refuse_truncated(Path::new(path))?;
        open(path).map_err(|e| {
            // The loader's message is in the source of libloading's error.
            let words = std::error::Error::source(&e).map_or_else(|| e.to_string(), ToString::to_string);
            broken(Path::new(path), &words)
        })?;
    }
    Ok(())
}

fn broken(path: &Path, words: &str) -> napi::Error {
    Failure::new(
        Code::LibtorchBroken,
        format!("cannot open {}: {words}", path.display()),
        json!({ "path": path, "reason": words }),
    )
    .into_napi()
}

/// Rejects truncated libraries, including those in the same folder that may be dependencies. The loader maps
/// the length in the headers, and the process would crash at the first missing page.
fn refuse_truncated(path: &Path) -> napi::Result<()> {
    let folder = path.parent().and_then(|folder| std::fs::read_dir(folder).ok());
    for entry in folder.into_iter().flatten().flatten() {
        let path = entry.path();
        let missing = entry
            .file_name()
            .to_string_lossy()
            .contains(".so")
            .then(|| elf::announced(&path));
        // Unreadable files and files of other formats get the loader's own message.
        if let Some(Ok(Some(announced))) = missing {
            let found = path.metadata().map_or(0, |m| m.len());
            if found < announced {
                let words = format!("file too short: it has {found} bytes, its headers announce {announced}");
                return Err(broken(&path, &words));
            }
        }
    }
    Ok(())
}

#[cfg(unix)]
fn open(path: &str) -> Result<(), libloading::Error> {
    use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
    // SAFETY: opening runs the library's initialisers. The caller passes libtorch's libraries, whose
    // initialisers only register operators and may run at any time. The handle is leaked, so no symbol
    // dangles.
    let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_GLOBAL)? };
    std::mem::forget(library);
    Ok(())
}

#[cfg(windows)]
fn open(path: &str) -> Result<(), libloading::Error> {
    // SAFETY: as on Unix; Windows resolves later imports by module name, so opening by path is enough.
    let library = unsafe { libloading::Library::new(path)? };
    std::mem::forget(library);
    Ok(())
}

/// Unpacks the members of a wheel (a zip file) whose names start with one of `prefixes` to `destination`.
#[napi(ts_return_type = "Promise<number>")]
pub fn extract_wheel(wheel: String, destination: String, prefixes: Vec<String>) -> AsyncTask<Extract> {
    AsyncTask::new(Extract {
        wheel: wheel.into(),
        destination: destination.into(),
        prefixes,
    })
}

/// The work of [`extract_wheel`]. Resolves to the number of written files.
pub struct Extract {
    wheel: PathBuf,
    destination: PathBuf,
    prefixes: Vec<String>,
}

impl Task for Extract {
    type Output = u32;
    type JsValue = u32;

    fn compute(&mut self) -> napi::Result<u32> {
        extract(&self.wheel, &self.destination, &self.prefixes).map_err(|e| {
            Failure::new(
                Code::Wheel,
                format!(
                    "cannot unpack {} into {}: {e}",
                    self.wheel.display(),
                    self.destination.display()
                ),
                json!({ "path": self.wheel, "destination": self.destination }),
            )
            .into_napi()
        })
    }

    fn resolve(&mut self, _: Env, output: u32) -> napi::Result<u32> {
        Ok(output)
    }
}

fn extract(wheel: &Path, destination: &Path, prefixes: &[String]) -> io::Result<u32> {
    let mut archive = zip::ZipArchive::new(File::open(wheel)?).map_err(io::Error::other)?;
    let mut written = 0;
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).map_err(io::Error::other)?;
        // `enclosed_name` rejects names that would leave the destination.
        let Some(name) = member.enclosed_name() else {
            continue;
        };
        let text = name.to_string_lossy();
        if member.is_dir() || !prefixes.iter().any(|prefix| text.starts_with(prefix.as_str())) {
            continue;
        }
        let path = destination.join(&name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        io::copy(&mut member, &mut File::create(&path)?)?;
        written += 1;
    }
    Ok(written)
}
