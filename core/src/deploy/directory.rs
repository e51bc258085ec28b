//! Directory: a document that says where a deployed pipeline's functions, queues and settings are, for an operator on another
//! machine. The deployment writes it beside the pipeline file; no function reads it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use super::{DEPLOYED, Deployment, Function};
use crate::protocol::{Document, Step};

/// What its name ends with.
const ENDING: &str = ".json";

/// A deployed pipeline, as it is found from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    /// The pipeline's name.
    pub pipeline: String,
    /// Its functions, by the names of their steps.
    pub functions: BTreeMap<String, DirectoryFunction>,
}

/// A function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryFunction {
    /// Its name.
    pub name: String,
    /// Its environment variables.
    pub environment: BTreeMap<String, String>,
    /// Whether it may send to its own queue for as long as it has work; Lambda stops others after some rounds.
    pub allows_loops: bool,
}

impl Document for Directory {
    const KIND: &'static str = "a directory of a deployment";
    const VERSION: u32 = 1;
}

impl Directory {
    /// That of a deployment. `pipeline_file` is where the functions find the pipeline file: `s3://bucket/key`.
    pub fn new(pipeline: &str, deployment: &Deployment, pipeline_file: &str) -> Self {
        let function = |Function { step, name, environment, mapping, .. }: &Function| {
            let mut environment = environment.clone();
            environment.insert(super::setting::PIPELINE.name.to_owned(), pipeline_file.to_owned());
            let function = DirectoryFunction { name: name.clone(), environment, allows_loops: mapping.allows_loops };
            (step.name().to_owned(), function)
        };
        Self { pipeline: pipeline.to_owned(), functions: deployment.functions.iter().map(function).collect() }
    }

    /// Where the directory of a pipeline lies in the store.
    pub fn name_of(pipeline: &str) -> String {
        format!("{DEPLOYED}{pipeline}{ENDING}")
    }

    /// What the names of all directories in the store begin with.
    pub const fn prefix() -> &'static str {
        DEPLOYED
    }

    /// The pipeline whose directory has a name in the store, if it is one.
    pub fn pipeline_of(name: &str) -> Option<&str> {
        name.strip_prefix(DEPLOYED)?.strip_suffix(ENDING)
    }

    /// The function of a step.
    pub fn function(&self, step: Step) -> Option<&DirectoryFunction> {
        self.functions.get(step.name())
    }
}
