#![no_main]
fuzz::target!("v2_checkpoint");
