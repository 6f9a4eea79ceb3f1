//! What is fitted, what is written, and what the engine answers must be one and the same.

mod onnxruntime;
mod parity;
mod refusal;
mod sample;
