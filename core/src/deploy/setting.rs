//! Setting: the environment variables of the functions. Their names are only here: the functions read them by these rows, a
//! deployment sets them by these rows, and the reference page is generated from them.

use crate::protocol::Step;

/// An environment variable of a function, or several that begin alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Its name; of several, what their names begin with.
    pub name: &'static str,
    /// Of several, what the rest of the name is: `<NAME>`.
    pub rest: &'static str,
    /// The steps that read it.
    pub steps: &'static [Step],
    /// Whether a function begins without it.
    pub need: Need,
    /// What it says.
    pub meaning: &'static str,
}

/// Whether a function begins without a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It does not.
    Required,
    /// It does not where the pipeline file has something, which the text names.
    RequiredWhere(&'static str),
    /// It does.
    Optional,
}

impl Setting {
    /// The name of one of several.
    pub fn of(&self, rest: &str) -> String {
        format!("{}{rest}", self.name)
    }

    /// Whether a step reads it.
    pub fn is_of(&self, step: Step) -> bool {
        self.steps.contains(&step)
    }
}

use Need::{Optional, Required, RequiredWhere};
use Step::{Extract, Load, Transform};

/// Every step.
const ALL: &[Step] = &Step::ALL;

macro_rules! settings {
    ($($constant:ident = $name:literal $(+ $rest:literal)?, $steps:expr, $need:expr, $meaning:literal;)+) => {
        $(
            #[doc = $meaning]
            pub const $constant: Setting = Setting {
                name: $name,
                rest: concat!($($rest)?),
                steps: $steps,
                need: $need,
                meaning: $meaning,
            };
        )+
        /// All settings, in the order of the page.
        pub const SETTINGS: &[Setting] = &[$($constant),+];
    };
}

settings! {
    PIPELINE = "ETALON_PIPELINE", ALL, Optional,
        "The path of the pipeline file, or its object `s3://bucket/key`, if it is not `$LAMBDA_TASK_ROOT/pipeline.yaml`";
    STAGING = "ETALON_STAGING", ALL, Required,
        "`s3://bucket/prefix/`: the store, with plans, parts, quarantine, receipts and units";
    SOURCE = "ETALON_SOURCE", &[Extract, Transform], RequiredWhere("`files:`"),
        "`s3://bucket/prefix/`: where the files of `files:` are";
    MANIFEST = "ETALON_MANIFEST", &[Extract], Optional,
        "The object `s3://bucket/key` of the manifest of `connector:`, if it is not beside the pipeline file at the path that \
         the file names";
    CERTIFICATES = "ETALON_CERTIFICATES", &[Extract], Optional,
        "The object `s3://bucket/key` with the certificates, in PEM, of the authorities that are trusted for a database, if \
         its URL names no file and the system does not trust them";
    VARIABLE = "ETALON_VARIABLE_" + "<NAME>", ALL, RequiredWhere("`${NAME}`"),
        "The value of `${NAME}` in the pipeline file";
    SECRET = "ETALON_SECRET_" + "<name>", ALL, RequiredWhere("`${secret:name}`"),
        "The ARN of the secret that `${secret:name}` stands for";
    NAMESPACE = "ETALON_NAMESPACE", ALL, Optional,
        "The namespace of the metrics; by default `Etalon`";
    LOG_LEVEL = "AWS_LAMBDA_LOG_LEVEL", ALL, Optional,
        "The level of logging: `ERROR` `WARN` `INFO` `DEBUG`; by default `INFO`";
    DEAD_QUEUE = "ETALON_DEAD_QUEUE_URL", ALL, Required,
        "The dead-letter queue of this function, for messages that can never succeed";
    RECEIVES_MAX = "ETALON_RECEIVES_MAX", ALL, Optional,
        "How often a message is received before its queue moves it to the dead letters; the last time the function does this \
         itself, with the reason";
    STARTS_QUEUE = "ETALON_STARTS_QUEUE_URL", &[Extract], Required,
        "Its own queue: it sends itself the work that it cannot finish in its time";
    TASKS_QUEUE = "ETALON_TASKS_QUEUE_URL", &[Extract, Transform], Required,
        "The queue of tasks";
    LOADS_QUEUE = "ETALON_LOADS_QUEUE_URL", ALL, Required,
        "The FIFO queue of loads";
    EVENT_BUS = "ETALON_EVENT_BUS", &[Load], Optional,
        "The bus that gets the events of loads; by default `default`";
    DATABASE = "ETALON_DATABASE", &[Load], Required,
        "The warehouse's database";
    WORKGROUP = "ETALON_WORKGROUP", &[Load], Optional,
        "The workgroup of Redshift Serverless; this or a cluster must be set";
    CLUSTER = "ETALON_CLUSTER", &[Load], Optional,
        "The cluster of Redshift; this or a workgroup must be set";
    DATABASE_USER = "ETALON_DB_USER", &[Load], Optional,
        "The user of a cluster, if neither a secret nor the function's role names it";
    WAREHOUSE_SECRET = "ETALON_WAREHOUSE_SECRET", &[Load], Optional,
        "The ARN of the secret to connect with; without it the function connects with its role";
    COPY_ROLE = "ETALON_COPY_ROLE", &[Load], Required,
        "The ARN of the role with which COPY reads the staging bucket, or `default`";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_name_is_a_setting_s_alone() {
        let names: BTreeSet<_> = SETTINGS.iter().map(|setting| setting.name).collect();
        assert_eq!(names.len(), SETTINGS.len());
        for setting in SETTINGS {
            let others = SETTINGS.iter().filter(|other| !other.rest.is_empty() && other.name != setting.name);
            let shadow = others.map(|other| other.name).find(|begin| setting.name.starts_with(begin));
            assert_eq!(shadow, None, "{} could be one of several others", setting.name);
        }
    }
}
