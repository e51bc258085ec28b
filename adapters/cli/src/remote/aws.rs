//! AWS: a pipeline that is deployed on AWS, operated by the command.

use std::fmt;

use etalon_aws::operator::Operator;
use etalon_core::error::Error;
use etalon_core::pipeline::Resolved;
use etalon_core::protocol::Work;
use etalon_driver::begun::Begun;
use etalon_driver::letters::{Letter, Messages, Wanted};
use etalon_driver::ports::Objects;
use etalon_driver::status::{Finding, InWarehouse};
use tokio::runtime::{Builder, Runtime};

use crate::failure::Failure;

/// A deployed pipeline.
pub(crate) struct Remote {
    runtime: Runtime,
    operator: Operator,
}

impl Remote {
    /// The pipeline of a name that is deployed with a store.
    pub(crate) fn find(place: &str, pipeline: &str) -> Result<Self, Failure> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::environment(format!("nothing can be asked of AWS: {error}")))?;
        let operator = runtime.block_on(Operator::find(place, pipeline))?;
        Ok(Self { runtime, operator })
    }

    /// Waits for something.
    pub(crate) fn block<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// The pipeline that is deployed.
    pub(crate) fn pipeline(&self) -> &Resolved {
        &self.operator.deployed().pipeline
    }

    /// Where its objects are.
    pub(crate) fn source(&self) -> &impl Objects {
        self.operator.source()
    }

    /// Where everything is kept.
    pub(crate) fn store(&self) -> &impl Objects {
        self.operator.store()
    }

    /// Where something that is kept is, for people.
    pub(crate) fn url(&self, name: &str) -> String {
        self.operator.url(name)
    }

    /// Begins work; the functions do the rest of it.
    pub(crate) fn begin(&self, work: Work, batch_time: Option<i64>) -> Result<Begun, Error> {
        self.block(self.operator.begin(work, batch_time))
    }

    /// What the warehouse says of the table.
    pub(crate) fn in_warehouse(&self) -> Result<InWarehouse, Error> {
        self.block(self.operator.in_warehouse())
    }

    /// How many messages each function has before it.
    pub(crate) fn messages(&self) -> Result<Vec<Messages>, Error> {
        self.block(self.operator.messages())
    }

    /// The dead letters that are wanted.
    pub(crate) fn letters(&self, wanted: &Wanted) -> Result<Vec<Letter>, Error> {
        self.block(self.operator.letters(wanted))
    }

    /// Sends dead letters to their functions once more.
    pub(crate) fn send_again(&self, wanted: &Wanted, body: Option<&str>) -> Result<Vec<Letter>, Error> {
        self.block(self.operator.send_again(wanted, body))
    }

    /// Looks whether everything is as it should be.
    pub(crate) fn examine(&self) -> Vec<Finding> {
        self.block(self.operator.examine())
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.operator.fmt(f)
    }
}
