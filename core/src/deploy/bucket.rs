//! Bucket: the prefixes of the staging bucket as Terraform reads them, each with its retention class.

use serde_json::{Map, Value, json};

use super::DEPLOYED;
use crate::protocol::prefix::{PREFIXES, Retention};

/// `terraform/modules/storage/prefixes.json`.
pub fn prefixes() -> String {
    let row = |holds: &str, retention: &str| json!({ "holds": holds, "retention": retention });
    let rows = PREFIXES.iter().map(|prefix| (prefix.text.to_owned(), row(prefix.holds, prefix.retention.name())));
    // Whoever deploys writes them, and no function does.
    let deployed = (
        DEPLOYED.to_owned(),
        row(
            "the pipeline files that are deployed, and where each pipeline's functions and queues are",
            Retention::Always.name(),
        ),
    );
    let rows = std::iter::once(deployed).chain(rows);
    format!("{:#}\n", Value::Object(rows.collect::<Map<_, _>>()))
}
