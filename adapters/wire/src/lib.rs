//! Connections to databases: a socket with time limits, TLS over it, and what the addresses of databases have in common.

mod trouble;
mod address;
mod socket;
pub mod tls;

pub use address::Reach;
pub use address::choice;
pub use address::decode;
pub use address::is_local;
pub use address::split_port;
pub use socket::Limit;
pub use socket::Socket;
pub use trouble::Trouble;
