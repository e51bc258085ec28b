//! The stand-in starts, answers, and ends with its value.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use etalon_sandbox::counterpart;
use etalon_sandbox::moto::Moto;

fn main() -> ExitCode {
    counterpart::main(Moto::start, &[("it_answers_and_ends_with_its_value", it_answers_and_ends_with_its_value)])
}

fn it_answers_and_ends_with_its_value(shared: &Moto) {
    assert_eq!(status(shared), "HTTP/1.1 200");
    let own = Moto::start().unwrap();
    assert_ne!(own.url(), shared.url());
    assert_eq!(status(&own), "HTTP/1.1 200");
    let address = address(&own).to_owned();
    drop(own);
    assert!(TcpStream::connect(address).is_err());
    assert_eq!(status(shared), "HTTP/1.1 200");
}

fn address(moto: &Moto) -> &str {
    moto.url().strip_prefix("http://").unwrap()
}

/// What a listing of buckets is answered with.
fn status(moto: &Moto) -> String {
    let mut stream = TcpStream::connect(address(moto)).unwrap();
    let request = format!("GET / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", address(moto));
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.get(..12).unwrap().to_owned()
}
