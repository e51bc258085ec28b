//! Absent: stands in for remote pipelines if the command was built without AWS.

use std::ops::Range;

use etalon_core::error::Error;
use etalon_core::pipeline::Resolved;
use etalon_core::plan::Object;
use etalon_core::protocol::Work;
use etalon_driver::begun::Begun;
use etalon_driver::letters::{Letter, Messages, Wanted};
use etalon_driver::ports::{Objects, Put};
use etalon_driver::status::{Finding, InWarehouse};

use crate::failure::Failure;

/// A deployed pipeline: there is none.
#[derive(Debug)]
pub(crate) enum Remote {}

impl Remote {
    pub(crate) fn find(_: &str, _: &str) -> Result<Self, Failure> {
        let failure = Failure::environment("--on: this etalon was built without AWS".to_owned());
        Err(failure.with_help("released binaries have it, and so has `cargo build --bin etalon --features etalon/aws`"))
    }

    pub(crate) fn block<F: Future>(&self, _: F) -> F::Output {
        match *self {}
    }

    pub(crate) fn pipeline(&self) -> &Resolved {
        match *self {}
    }

    pub(crate) fn source(&self) -> &Self {
        self
    }

    pub(crate) fn store(&self) -> &Self {
        self
    }

    pub(crate) fn url(&self, _: &str) -> String {
        match *self {}
    }

    pub(crate) fn begin(&self, _: Work, _: Option<i64>) -> Result<Begun, Error> {
        match *self {}
    }

    pub(crate) fn in_warehouse(&self) -> Result<InWarehouse, Error> {
        match *self {}
    }

    pub(crate) fn messages(&self) -> Result<Vec<Messages>, Error> {
        match *self {}
    }

    pub(crate) fn letters(&self, _: &Wanted) -> Result<Vec<Letter>, Error> {
        match *self {}
    }

    pub(crate) fn send_again(&self, _: &Wanted, _: Option<&str>) -> Result<Vec<Letter>, Error> {
        match *self {}
    }

    pub(crate) fn examine(&self) -> Vec<Finding> {
        match *self {}
    }
}

impl Objects for Remote {
    async fn head(&self, _: &str) -> Result<Object, Error> {
        match *self {}
    }

    async fn read(&self, _: &Object, _: Range<u64>) -> Result<Vec<u8>, Error> {
        match *self {}
    }

    async fn fetch(&self, _: &str) -> Result<(Vec<u8>, String), Error> {
        match *self {}
    }

    async fn put(&self, _: &str, _: &[u8], _: Put<'_>) -> Result<String, Error> {
        match *self {}
    }

    async fn list(&self, _: &str, _: Option<&str>, _: usize) -> Result<Vec<String>, Error> {
        match *self {}
    }

    async fn delete(&self, _: &str) -> Result<(), Error> {
        match *self {}
    }

    async fn delete_version(&self, _: &str, _: &str) -> Result<(), Error> {
        match *self {}
    }

    async fn objects(&self, _: &str, _: Option<&str>, _: usize) -> Result<Vec<Object>, Error> {
        match *self {}
    }
}
