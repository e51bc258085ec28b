//! Protocol: the messages between extract, transform and load, the documents that they keep between calls, and what a loader
//! does next.
//!
//! Messages contain references, never rows. Every message and document contains the version of its format. Etalon reads the
//! present version and the one before, and refuses a newer one with an error, so that a deployment loses nothing in flight.
//!
//! ```text
//! Start -> Source, InputPlan -> TaskMessage -> Receipt -> Unit -> LoadMessage -> Load -> ledger
//! ```
//!
//! ```
//! use etalon_core::protocol::{LoadMessage, parse, print};
//!
//! let message = LoadMessage { table: "orders".to_owned() };
//! let text = print(&message);
//! assert_eq!(text, r#"{"version":1,"table":"orders"}"#);
//! assert_eq!(parse::<LoadMessage>(text.as_bytes())?, message);
//!
//! let newer = parse::<LoadMessage>(br#"{"version":9,"table":"orders"}"#).map_err(|error| error.to_string());
//! assert_eq!(newer, Err("a load message of version 9; this Etalon reads up to version 1".to_owned()));
//! # Ok::<(), etalon_core::error::Error>(())
//! ```

mod step;
mod document;
mod message;
mod trigger;
mod cursor;
mod source;
mod place;
mod run;
mod unit;
mod decision;
mod load;
mod marks;
pub mod prefix;
pub mod name;

pub use cursor::Cursor;
pub use cursor::LastNumber;
pub use cursor::OpenWindow;
pub use cursor::Piece;
pub use cursor::Window;
pub use decision::Decision;
pub use document::Document;
pub use document::parse;
pub use document::print;
pub use load::Begun;
pub use load::Blame;
pub use load::Holds;
pub use load::InLedger;
pub use load::Load;
pub use load::LoadLimits;
pub use load::Next;
pub use load::Seen;
pub use load::choose;
pub use load::next;
pub use marks::Marks;
pub use message::HOPS_MAX;
pub use message::LoadEvent;
pub use message::LoadMessage;
pub use message::Start;
pub use message::TaskMessage;
pub use message::Work;
pub use place::Home;
pub use place::Place;
pub use run::LastRun;
pub use run::Leg;
pub use source::Met;
pub use source::Source;
pub use source::SourceVersion;
pub use step::Step;
pub(crate) use trigger::SCHEDULE_INPUT;
pub use trigger::SWEEP_INPUT;
pub use trigger::Trigger;
pub use trigger::triggers;
pub use unit::Member;
pub use unit::Unit;
pub use unit::UnitBatch;
pub use unit::UnitState;
