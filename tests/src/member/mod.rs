//! A process of a network that does what it is told: both sides of it.

mod fellow;
mod files;
mod servant;

pub use fellow::{Fellow, settled};
pub use files::{descriptors, file_of, text_in};
pub use servant::be_told;

use mage::{MessagePipe, Node};

/// The environment variable in which a client finds the path of its service.
const SERVICE_VARIABLE: &str = "MAGE_TEST_SERVICE";

/// Connects to the service that the environment names.
///
/// # Errors
/// Those of connecting.
pub async fn connect(node: &Node) -> Result<MessagePipe, mage::InvitationError> {
    node.connect(std::env::var_os(SERVICE_VARIABLE).unwrap_or_default()).await
}
