//! What a pod needs before its containers can be made: claims, volumes, ConfigMaps and Secrets.

pub mod claims;
pub mod lacks;
pub mod mount_errors;
pub mod mounts;
pub mod references;
pub mod unfit_volumes;
pub mod volume_reach;
pub mod volume_source;
pub mod volume_words;
pub mod volumes;
pub mod writes;
