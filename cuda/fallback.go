//go:build gpu

package cuda

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"fmt"
	"io"
	"strings"
)

// Kernels compiled for compute_75 by an NVRTC of CUDA 12.0, a file a source: drivers since then load them, whatever the card.
//
//go:generate sh ptx/generate.sh
//go:embed ptx/*.gz
var compiled embed.FS

// marker begins the line before each module of a file; its type and what it was compiled of follow.
const marker = "//aegis "

// head is that line.
func head(s *Source, real Type) string {
	return fmt.Sprintf("%s%v %x\n", marker, real, sha256.Sum256([]byte(s.text(real))))
}

// Fallback is the PTX that was compiled of a source and checked in, nil where there is none of its present text.
func Fallback(s *Source, real Type) []byte {
	file, err := compiled.ReadFile("ptx/" + s.Name + ".gz")
	if err != nil {
		return nil
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		return nil
	}
	text, err := io.ReadAll(unpacked)
	if err != nil {
		return nil
	}
	_, module, ok := bytes.Cut(text, []byte(head(s, real)))
	if !ok {
		return nil
	}
	module, _, _ = bytes.Cut(module, []byte(marker))
	return module
}

// PackFallback makes the file of a source from its PTX for each of its types.
func PackFallback(s *Source, ptx map[Type][]byte) ([]byte, error) {
	var packed bytes.Buffer
	to, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	for _, real := range s.Types() {
		if _, err := io.WriteString(to, head(s, real)+bare(string(ptx[real]))); err != nil {
			return nil, err
		}
	}
	err = to.Close()
	return packed.Bytes(), err
}

// bare leaves out of PTX what does nothing: comments, spaces, and the constants of NVRTC's own that no kernel reads.
func bare(ptx string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimRight(ptx, "\x00")) {
		line = strings.Join(strings.Fields(line), " ")
		if line != "" && !strings.HasPrefix(line, "//") && !strings.Contains(line, "nv6target") {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}
