#![no_main]
fuzz::target!("groups");
