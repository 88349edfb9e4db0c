//! Architectures, data, losses, optimisers and training on differentiable programs.
