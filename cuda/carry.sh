#!/bin/sh
# Packs what is run on a machine with a GPU: the tests of package carried, the examples, bench, and its comparison with PyTorch.
#
#	sh cuda/carry.sh [aegis-cuda.tar.gz]     # here: a C compiler and Go, no GPU; .tar.xz is a third of the size
#	tar xzf aegis-cuda.tar.gz && sh aegis-cuda/run.sh     # there: NVIDIA's driver, and nothing else
set -e
out=$(realpath -m "${1:-aegis-cuda.tar.gz}")
mkdir -p "$(dirname "$out")"
cd "$(dirname "$0")/.."
eval "$(go run ./cuda/setup)"
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
to=$folder/aegis-cuda
mkdir -p "$to/examples"
go test -c -tags gpu -trimpath -ldflags "-s -w" -o "$to/carried.test" ./cuda/carried
go build -tags gpu -trimpath -ldflags "-s -w" -o "$to/bench" ./bench
go build -tags gpu -trimpath -ldflags "-s -w" -o "$to/examples/" $(grep -l internal/fit examples/*/main.go | sed 's|^\(.*\)/main.go|./\1|') # those that train
cp -r parity/testdata "$to/records"
cp bench/compare/cuda.py cuda/run.sh "$to"
export XZ_OPT=--lzma2=preset=6,dict=256MiB # the programs have most of their text in common
tar -C "$folder" -caf "$out" aegis-cuda
echo "$out"
