//! Build script of both addons: the linker settings a Node addon needs on each platform.

/// The C++ standard library to link, if it is not the one that the compiler finds (`scripts/lib/cross.mjs`).
const LIBRARY: &str = "NNUNET_DIAG_CXX_LIBRARY";

fn main() {
    napi_build::setup();
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "macos") {
        // Otherwise the library has the path at which it was linked.
        println!("cargo:rustc-link-arg-cdylib=-Wl,-install_name,@rpath/addon.node");
    }
    println!("cargo:rerun-if-env-changed={LIBRARY}");
    if let Ok(file) = std::env::var(LIBRARY) {
        println!("cargo:rustc-link-arg-cdylib={file}");
    }
}
