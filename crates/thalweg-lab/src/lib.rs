//! Run identity, store, resume, and the recipes that join training, geometry and report.
