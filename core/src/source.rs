//! Source: where objects come from. Each kind of source has a room of its own: what it is called, how it names its objects,
//! and which names it means. What they share is how a source is listed.
//!
//! `names` tell which objects are meant -> a `Listing` asks for pages of them, by `step` and `push`

pub mod files;
pub mod s3;
mod names;
mod listing;

pub use listing::{ListStep, Listing};
pub use names::Names;
