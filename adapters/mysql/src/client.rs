//! Client: the protocol of MySQL and MariaDB: one connection, one statement at a time, rows as texts, encrypted where the server
//! offers it.

mod trouble;
mod address;
mod session;

pub use address::Address;
pub use address::Encryption;
pub use address::Host;
pub use address::SslMode;
pub use session::Client;
pub use session::Column;
pub use session::Rows;
pub use trouble::ServerError;
pub use trouble::Trouble;
