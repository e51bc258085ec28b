//! The Redshift Data API of the sandbox, over a private PostgreSQL.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test may fail, and says what it saw")]

mod api;
mod bucket;
mod copy;
mod wire;

use std::io;
use std::process::ExitCode;

use etalon_sandbox::counterpart;
use etalon_sandbox::moto::Moto;
use etalon_sandbox::postgres::Server;

/// What stands behind the sandbox.
pub(crate) struct Cloud {
    server: Server,
    moto: Moto,
}

/// A test that needs it, and its name.
type Test = counterpart::Test<Cloud>;

fn main() -> ExitCode {
    let start = || -> io::Result<Cloud> { Ok(Cloud { server: Server::start()?, moto: Moto::start()? }) };
    counterpart::main(start, &[wire::TESTS, copy::TESTS].concat())
}
