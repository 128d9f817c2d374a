//! `portcullis scan` as a function: arguments and files in, lines and exit codes out.
