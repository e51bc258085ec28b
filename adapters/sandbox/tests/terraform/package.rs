//! Package: terraform/package refuses what Lambda would refuse. What builds is a stand-in that hands out programs of this machine.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use etalon_core::protocol::Step;

use crate::Shared;

/// Hands out the programs that it is told, in place of building them.
const CARGO_LAMBDA: &str = r#"#!/bin/sh
while [ "$#" -gt 0 ]; do [ "$1" = --lambda-dir ] && folder=$2; shift; done
for step in extract transform load; do mkdir -p "$folder/etalon-$step" && cp "$PROGRAMS/etalon-$step" "$folder/etalon-$step/bootstrap"; done
"#;
/// Says what an x86_64 program of Amazon Linux would say, but for one thing.
const READELF: &str = r#"#!/bin/sh
case $1 in -hW) echo "  Machine:   ${MACHINE:-Advanced Micro Devices X86-64}" ;; *) echo "0x01: Name: GLIBC_2.2.5 Name: GLIBC_${GLIBC:-2.34}" ;; esac
"#;

/// The packages of this machine's own programs are made; each thing that is wrong with them is told, and ends it with a code.
pub(crate) fn wrong_ones_are_refused(shared: &Shared) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let tools = folder.join("tools");
    fs::create_dir_all(folder.join("terraform")).unwrap();
    fs::create_dir_all(&tools).unwrap();
    fs::copy(root.join("terraform/package"), folder.join("terraform/package")).unwrap();
    for (name, text) in [("cargo-lambda", CARGO_LAMBDA), ("readelf", READELF)] {
        fs::write(tools.join(name), text).unwrap();
        fs::set_permissions(tools.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    // A debug program is far larger than a package may be, so that one without its symbols takes its place.
    let programs = folder.join("programs");
    fs::create_dir_all(&programs).unwrap();
    for step in Step::ALL {
        let to = programs.join(format!("etalon-{}", step.name()));
        let stripped = Command::new("strip").arg("-o").arg(&to).arg(shared.programs.of(step)).status();
        assert!(stripped.unwrap().success());
    }
    // A `python3` of a version manager would put its own folder, where a real cargo-lambda may be, before that of the stand-ins.
    let python = Command::new("python3").args(["-c", "import sys; print(sys.executable, end='')"]).output().unwrap();
    let python = String::from_utf8(python.stdout).unwrap();
    let run = |architecture: &str, variable: (&str, &str)| {
        let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
        let mut command = Command::new(&python);
        command.arg(folder.join("terraform/package")).arg(architecture).env("PATH", path).env_remove("CI");
        let ended = command.env("PROGRAMS", &programs).env(variable.0, variable.1).output().unwrap();
        (ended.status.code(), String::from_utf8(ended.stderr).unwrap(), String::from_utf8(ended.stdout).unwrap())
    };
    let refused = |architecture: &str, variable: (&str, &str), words: &str| {
        let (code, wrong, told) = run(architecture, variable);
        assert!(code.is_some_and(|code| code != 0) && wrong.contains(words), "{words}: {wrong}{told}");
    };
    refused("mips", ("NONE", ""), "there is arm64 and x86_64");
    refused("x86_64", ("MACHINE", "AArch64"), "is a program for AArch64, not for x86_64");
    refused("arm64", ("NONE", ""), "is a program for Advanced Micro Devices X86-64, not for arm64");
    refused("x86_64", ("GLIBC", "2.36"), "needs glibc 2.36; Amazon Linux 2023 has 2.34");
    // Programs that start, told by what they lack; then they are too large for a package, being debug programs.
    let (code, wrong, told) = run("x86_64", ("NONE", ""));
    assert!(told.contains("ms to its first word"), "{wrong}{told}");
    assert!(code == Some(1) && wrong.contains("are the most that it should have"), "{wrong}{told}");
    // A program that says something else does not start.
    fs::write(programs.join("etalon-extract"), "#!/bin/sh\necho no\n").unwrap();
    fs::set_permissions(programs.join("etalon-extract"), fs::Permissions::from_mode(0o755)).unwrap();
    refused("x86_64", ("NONE", ""), "does not say what it lacks when it starts");
}
