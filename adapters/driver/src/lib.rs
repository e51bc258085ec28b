//! The loops that carry out what core asks.
//!
//! Core says which bytes it needs and what must be stored; the driver reads and writes, through ports. The same loops run over
//! a local disk, over memory, and over a cloud.
//!
//! ```text
//! ports, store, deployed     the world; what is kept in it, by name; the pipeline that is deployed
//! connection                 a load, statement by statement, on a warehouse that runs one at a time
//! land                       rows of a database and pages of an API become objects in the store
//! links                      a link to a file is a source of its own name
//! extract                    a listing becomes plans and tasks
//! transform                  a task becomes parts, quarantine and a receipt
//! judge                      a unit whose receipts are all there is to be loaded, or held
//! load                       units become one transaction of their table
//! held, rejects              what somebody decides about units and records that were not loaded
//! rival                      another state folder with the same pipeline and table is found
//! alike                      the same rows under the name of another pipeline
//! reconcile                  the ledger decides where the store says something else
//! gone                       what a run does not find any more
//! run, line, embedded, report
//!                            all of this on one machine
//! status                     how things stand between two runs
//! begun, letters             the same where functions do the work: what has become of what was begun; what they could not do
//! local, memory              ports to a disk, and to nothing
//! home                       the part of a disk in which a pipeline's store is
//! cases                      golden cases
//! ```

pub mod ports;
pub mod connection;
pub mod store;
pub mod deployed;
pub mod embedded;
pub mod land;
mod links;
pub mod extract;
pub mod transform;
pub mod judge;
mod line;
pub mod load;
pub mod held;
pub mod rejects;
mod by_hand;
mod rival;
mod alike;
mod reconcile;
mod gone;
pub mod run;
pub mod report;
pub mod status;
pub mod begun;
pub mod letters;
pub mod local;
pub mod home;
pub mod memory;
pub mod cases;
#[cfg(feature = "testing")]
pub mod testing;
