//! The `etalon` command. Its code is a library, so that tests can build it with AWS support, and everything else without.

use std::process::ExitCode;

fn main() -> ExitCode {
    etalon::main()
}
