//! Calls: the document of the calls that were made of an account, and of those that may be made now. `share` reads and writes it.

use serde::{Deserialize, Serialize};

/// Calls, as they are kept for all who read an account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptCalls {
    /// In the order of the policies.
    pub(super) policies: Vec<KeptPolicy>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptPolicy {
    /// When calls were made, in microseconds since 1970, and how many; the earliest first.
    pub(super) made: Vec<(i64, u64)>,
    /// Who may make calls, until when, and how many.
    pub(super) leases: Vec<(String, i64, u64)>,
    /// Until when the server has none left.
    pub(super) until: i64,
}
