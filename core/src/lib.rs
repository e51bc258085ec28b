//! Everything in Etalon that decides: pure functions and state machines, without I/O, clock, chance, environment, threads
//! or async.
//!
//! The data's path:
//!
//! ```text
//! sql        the words of SQL: scanned, read, written
//! spec       the pipeline file as written, with the place of everything in it
//! expr       SQL scalar expressions: parse -> check -> evaluate, over columns
//! source     which objects there are: names, and a listing of them page by page
//! plan       an object becomes an input, an input becomes tasks
//! format     bytes in, records out: cells that point into the bytes
//! transform  records in, accepted rows and rejects out: decode, where, columns, rules, conform
//! stage      accepted rows in, Parquet parts out
//! receipt    what one task did, in numbers that balance; written last
//! warehouse  the statements that bring staged rows into a table
//! protocol   what the steps say to each other and keep between calls, and what a loader does next
//! pipeline   the front door: compile -> plan -> task -> judge -> load
//! deploy     what a pipeline is in an account: functions, settings, queues, rights, retention
//! ```
//!
//! Begin at [`pipeline::Pipeline`]: a file goes in, and what it says of each column comes out, or every mistake with its place.
//!
//! ```
//! use etalon_core::pipeline::Pipeline;
//!
//! let file = "
//! etalon: 1
//! pipeline: people
//! source: { files: people.csv, format: csv, fields: { id: integer, name: } }
//! columns:
//!   id: required
//!   name: { from: upper(trim(name)), type: varchar(20) }
//! target: { table: people, write: append }
//! ";
//! let (pipeline, _warnings) = Pipeline::compile(file).map_err(|mistakes| format!("{mistakes:?}"))?;
//! let columns: Vec<String> = pipeline.columns().iter().map(|(name, ty, _)| format!("{name} {ty}")).collect();
//! assert_eq!(columns, ["id integer", "name varchar(20)"]);
//!
//! let mistakes = Pipeline::compile(&file.replace("trim(name)", "trim(nme)")).err().unwrap_or_default();
//! assert_eq!(mistakes[0].message, "there is no `nme` here");
//! # Ok::<(), String>(())
//! ```
//!
//! The stages are strangers to each other; they meet in `pipeline`. Whatever is stateful speaks one vocabulary: `step` says
//! what it needs or has, `push` gives it what it asked for.
//!
//! Three kinds of wrong: the author's is a [`diagnostic::Diagnostic`], the row's is a [`reject::Reject`] (a
//! [`column::Fault`] before it is judged), the environment's is an [`error::Error`]. Our own is a panic, and a test.

pub mod types;
pub mod diagnostic;
pub mod error;
pub mod sql;
pub mod column;
pub mod records;
pub mod reject;
pub mod receipt;
pub mod value;
pub mod spec;
pub mod expr;
pub mod plan;
pub mod source;
pub mod format;
mod transform;
pub mod stage;
pub mod warehouse;
pub mod protocol;
pub mod pipeline;
pub mod deploy;
#[cfg(feature = "testing")]
pub mod testing;
