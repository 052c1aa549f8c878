#![no_main]
fuzz::target!("records_pkl");
