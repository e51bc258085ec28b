//! Remote: a pipeline that is deployed on AWS, where its functions keep in a bucket what a laptop keeps in a folder.
//!
//! AWS support is a feature of this crate, since its libraries take long to build. Without the feature, the command reaches no
//! deployed pipeline.

#[cfg(not(feature = "aws"))]
mod absent;
#[cfg(feature = "aws")]
mod aws;

#[cfg(not(feature = "aws"))]
pub(crate) use absent::Remote;
#[cfg(feature = "aws")]
pub(crate) use aws::Remote;

use etalon_core::pipeline::Pipeline;

use crate::arguments::{Destination, PipelineFile};
use crate::failure::Failure;
use crate::output::Output;

/// What stands for the place that the environment names.
const AWS: &str = "aws";
/// The variable that names it, as it does for the functions.
const PLACE: &str = "ETALON_STAGING";

impl Destination {
    /// The pipeline where it is deployed, if that is what was asked for, with the file that is here.
    pub(crate) fn remote(&self, file: &PipelineFile, output: Output) -> Result<Option<(Remote, Pipeline)>, Failure> {
        let Some(on) = &self.on else { return Ok(None) };
        remote(on, file, output).map(Some)
    }

    /// Refuses what is elsewhere, for a verb that does not reach it.
    pub(crate) fn must_be_here(&self) -> Result<(), Failure> {
        match &self.on {
            None => Ok(()),
            Some(on) => {
                let message = format!(
                    "--on {on}: this verb is about a source that is asked for rows, which no function reads yet"
                );
                Err(Failure::environment(message).with_help("leave --on out: `etalon run` reads such a source here"))
            }
        }
    }

    /// Refuses an option that says something about a run on this machine.
    pub(crate) fn excludes(&self, option: &str, is_given: bool) -> Result<(), Failure> {
        match &self.on {
            Some(_) if is_given => Err(Failure::arguments(format!(
                "{option} is about a run on this machine, and --on about one elsewhere"
            ))),
            _ => Ok(()),
        }
    }
}

/// The pipeline of a file where it is deployed. The file that is deployed counts; whether it is this one is told.
pub(crate) fn remote(on: &str, file: &PipelineFile, output: Output) -> Result<(Remote, Pipeline), Failure> {
    let (_, pipeline, _) = file.checked(output)?;
    let place = match on {
        AWS => std::env::var(PLACE).map_err(|_| {
            let failure = Failure::environment(format!("--on aws: the environment has no variable {PLACE}"));
            failure.with_help(
                "set it to the place of what the functions keep, or name that place: --on s3://bucket/prefix/",
            )
        })?,
        place => place.to_owned(),
    };
    let remote = Remote::find(&place, pipeline.name())?;
    if remote.pipeline().fingerprint() != pipeline.fingerprint() {
        let path = file.pipeline.display();
        output.note(&format!("{path} is not the file that is deployed; what is deployed counts"));
    }
    Ok((remote, pipeline))
}
