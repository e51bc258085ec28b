//! `etalon dlq`: the dead letters of a deployed pipeline: messages that its functions could not process.

use clap::{Args, ValueEnum};
use etalon_core::protocol::Step;
use etalon_driver::letters::Wanted;

use super::{Entry, verb};
use crate::arguments::PipelineFile;
use crate::failure::Failure;
use crate::output::Output;
use crate::remote::{Remote, remote};

mod ls;
mod show;
mod redrive;

/// The verbs of dead letters.
pub(super) const GROUP: Entry = Entry::Group {
    name: "dlq",
    about: "Look at dead letters on AWS, and send them through again when their cause is fixed",
    verbs: &[verb::<ls::Ls>(), verb::<show::Show>(), verb::<redrive::Redrive>()],
};

/// Whose dead letters, and which.
#[derive(Debug, Args)]
struct Letters {
    #[command(flatten)]
    file: PipelineFile,
    /// Only letters of these ids, as `etalon dlq ls` names them
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Only letters of this function
    #[arg(long, value_enum)]
    function: Option<Function>,
    /// Only letters whose reason contains this text
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Where the pipeline is deployed: s3://bucket/prefix/ of its store, or `aws`, which takes it from the variable
    /// ETALON_STAGING
    #[arg(long, value_name = "PLACE", default_value = "aws")]
    on: String,
}

/// A function.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Function {
    Extract,
    Transform,
    Load,
}

impl Letters {
    fn remote(&self, output: Output) -> Result<Remote, Failure> {
        remote(&self.on, &self.file, output).map(|(remote, _)| remote)
    }

    fn wanted(&self) -> Wanted {
        let step = |function| match function {
            Function::Extract => Step::Extract,
            Function::Transform => Step::Transform,
            Function::Load => Step::Load,
        };
        Wanted { ids: self.ids.clone(), function: self.function.map(step), reason: self.reason.clone() }
    }
}

/// What is said of a letter without a reason.
fn reason(reason: &Option<String>) -> String {
    reason
        .clone()
        .unwrap_or_else(|| "nobody has said why: it was received too often, or could not be delivered".to_owned())
}
