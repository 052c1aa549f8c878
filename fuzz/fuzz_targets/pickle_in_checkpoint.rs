#![no_main]
fuzz::target!("pickle_in_checkpoint");
