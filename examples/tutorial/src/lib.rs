//! The interface, as both processes have it.

mage::include_magen!("network_process");
