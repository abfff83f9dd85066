//! What the processes say to each other: generated from the files in `magen`.

mage::include_magen!("network_process");
mage::include_magen!("logger");
