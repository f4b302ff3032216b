# Compiles every source of kernels for the drivers and cards that have no NVRTC of their own. It needs no GPU.
set -e
cd "$(dirname "$0")/../.."
eval "$(go run ./cuda/setup -nvrtc -old)"
go run -tags gpu ./cuda/compile -fallback cuda/ptx
