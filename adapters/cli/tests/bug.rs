//! A panic ends the command with the documented code, whether panics unwind or abort.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::path::Path;
use std::process::Command;

#[test]
fn a_panic_of_any_thread_ends_with_70_in_every_profile() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    for strategy in ["unwind", "abort"] {
        // `src/bug.rs` is the whole of what the command does about panics, so a program around it shows it.
        let program = folder.path().join(strategy);
        let built = Command::new(&rustc)
            .args(["--edition=2024", "-C", &format!("panic={strategy}"), "-o"])
            .arg(&program)
            .arg(here.join("tests/bug/panics.rs"))
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        for thread in ["main", "other"] {
            let ended = Command::new(&program).arg(thread).output().unwrap();
            let told = String::from_utf8_lossy(&ended.stderr).into_owned();
            assert_eq!(ended.status.code(), Some(70), "{strategy}, {thread}: {told}");
            assert!(told.starts_with("told: ") && told.contains("on purpose"), "{told}");
        }
    }
}
