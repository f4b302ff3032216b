package kernel

// The assembly, its declarations (*_amd64.go) and the tables that enter it (*_tables_amd64.go) are written by the program
// in _asm, a module of its own, so that nobody who builds this package needs its dependencies. _asm/polynomials.go is the
// output of _asm/fit.py.

//go:generate go run -C _asm . -group elementwise -tables ../elementwise_tables_amd64.go -out ../elementwise_amd64.s -stubs ../elementwise_amd64.go -pkg kernel
//go:generate go run -C _asm . -group gemm -tables ../gemm_tables_amd64.go -out ../gemm_amd64.s -stubs ../gemm_amd64.go -pkg kernel
//go:generate go run -C _asm . -group reduce -tables ../reduce_tables_amd64.go -out ../reduce_amd64.s -stubs ../reduce_amd64.go -pkg kernel
//go:generate go run -C _asm . -group optimizer -tables ../optimizer_tables_amd64.go -out ../optimizer_amd64.s -stubs ../optimizer_amd64.go -pkg kernel
//go:generate go run -C _asm . -group normalize -tables ../normalize_tables_amd64.go -out ../normalize_amd64.s -stubs ../normalize_amd64.go -pkg kernel
//go:generate go run -C _asm . -group convolve -tables ../convolve_tables_amd64.go -out ../convolve_amd64.s -stubs ../convolve_amd64.go -pkg kernel
//go:generate go run -C _asm . -group recurrent -tables ../recurrent_tables_amd64.go -out ../recurrent_amd64.s -stubs ../recurrent_amd64.go -pkg kernel
//go:generate go run -C _asm . -group pool -tables ../pool_tables_amd64.go -out ../pool_amd64.s -stubs ../pool_amd64.go -pkg kernel
//go:generate go run -C _asm . -group amx -out ../amx_amd64.s -stubs ../amx_amd64.go
