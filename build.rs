//! Build script of both addons: the linker settings a Node addon needs on each platform.

/// The C++ standard library to link, if it is not the one that the compiler finds (`scripts/lib/cross.mjs`).
const LIBRARY: &str = "NNUNET_DIAG_CXX_LIBRARY";

fn main() {
    napi_build::setup();
    println!("cargo:rerun-if-env-changed={LIBRARY}");
    if let Ok(file) = std::env::var(LIBRARY) {
        println!("cargo:rustc-link-arg-cdylib={file}");
    }
}
