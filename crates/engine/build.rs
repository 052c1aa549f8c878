//! Compiles the C++ shim against the headers of the libtorch in `LIBTORCH`.

use std::path::{Path, PathBuf};

/// Instruction sets of the kernels, with the flags of GCC and Clang.
const VARIANTS: [(&str, &[&str]); 3] = [
    ("baseline", &[]),
    ("avx2", &["-mavx2", "-mf16c"]),
    (
        "avx512",
        &[
            "-mavx512f",
            "-mavx512bw",
            "-mavx512vl",
            "-mavx512dq",
            "-mprefer-vector-width=512",
        ],
    ),
];

fn main() -> Result<(), String> {
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    println!("cargo:rerun-if-env-changed=LIBTORCH_CXX11_ABI");
    println!("cargo:rerun-if-changed=cpp");
    let libtorch = std::env::var_os("LIBTORCH")
        .map(PathBuf::from)
        .ok_or("LIBTORCH is not set; expected the folder of libtorch that has include/ and lib/")?;
    println!("cargo:rustc-env=LIBTORCH_VERSION={}", version(&libtorch)?);
    let abi = std::env::var("LIBTORCH_CXX11_ABI").unwrap_or_else(|_| "1".to_owned());
    let x86 = std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "x86_64");

    for (name, flags) in VARIANTS.iter().take(if x86 { VARIANTS.len() } else { 1 }) {
        let mut build = base(&abi);
        // Without fused multiply-adds, every instruction set gives the same bits.
        build
            .define("KERNELS", *name)
            .flag_if_supported("-ffp-contract=off")
            .opt_level(3);
        build
            .flag_if_supported("-fno-math-errno")
            .flag_if_supported("-fno-trapping-math");
        for flag in *flags {
            build.flag(flag);
        }
        build
            .file("cpp/kernels.cpp")
            .compile(&format!("engine_kernels_{name}"));
    }
    let mut build = base(&abi);
    for include in [
        libtorch.join("include"),
        libtorch.join("include/torch/csrc/api/include"),
    ] {
        // As system headers, so that libtorch's own warnings are not shown.
        build.flag("-isystem").flag(include.display().to_string());
    }
    build.include("cpp/gloo");
    if x86 {
        build.define("KERNELS_X86", None);
    }
    for file in [
        "dispatch.cpp",
        "norm.cpp",
        "loss.cpp",
        "sgd.cpp",
        "memory.cpp",
        "composed.cpp",
        "device.cpp",
        "group.cpp",
        "record.cpp",
        "shim.cpp",
    ] {
        build.file(Path::new("cpp").join(file));
    }
    build.opt_level(2).compile("engine_shim");
    Ok(())
}

/// Version of libtorch by its headers, such as `2.11.0`.
fn version(libtorch: &Path) -> Result<String, String> {
    let file = libtorch.join("include/torch/headeronly/version.h");
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let number = |part: &str| {
        let name = format!("TORCH_VERSION_{part}");
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("#define ")?.strip_prefix(&name));
        let number = line.map(str::trim).filter(|number| number.parse::<u32>().is_ok());
        number.ok_or_else(|| format!("{} does not define {name}", file.display()))
    };
    Ok([number("MAJOR")?, number("MINOR")?, number("PATCH")?].join("."))
}

fn base(abi: &str) -> cc::Build {
    let mut build = cc::Build::new();
    build
        .cpp(true)
        .pic(true)
        .std("c++17")
        .define("_GLIBCXX_USE_CXX11_ABI", abi);
    build
}
