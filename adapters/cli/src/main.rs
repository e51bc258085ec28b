//! The `etalon` command. It is a library, so that tests can have it with AWS and everybody else without.

use std::process::ExitCode;

fn main() -> ExitCode {
    etalon::main()
}
