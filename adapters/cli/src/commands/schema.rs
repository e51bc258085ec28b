//! `etalon schema`: the JSON Schema of the pipeline file, for editors.

use crate::failure::Failure;
use crate::output::Output;

pub(crate) fn run(output: &mut Output) -> Result<(), Failure> {
    output.json(&etalon_core::spec::json_schema())
}
