//! Database: what a database that is read says of how it will be read. Nothing lands.

use etalon_core::source::LandStep;
use etalon_driver::local::SystemClock;
use etalon_driver::ports::{Clock, Database};

use crate::failure::Failure;
use crate::loaded::Loaded;

/// Asks the database, and gives what there is to say, a line each.
pub(super) fn examine(loaded: &Loaded, mut database: Box<dyn Database>) -> Result<Vec<String>, Failure> {
    let pipeline = &loaded.pipeline;
    let told = pipeline.location().examine(pipeline.source_names(), &mut |step| {
        let answer = match step {
            LandStep::Ask(statement) => database.ask(&statement)?,
            LandStep::Types(statement) => database.types(&statement)?,
            LandStep::Named(statement) => database.named(&statement)?,
            LandStep::Wait(microseconds) => {
                SystemClock.wait(microseconds);
                Vec::new()
            }
            LandStep::Land(_) | LandStep::Finished(_) => Vec::new(),
        };
        Ok((answer, SystemClock.now()))
    });
    Ok(told?)
}
