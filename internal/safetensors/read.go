package safetensors

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

// ReadFile reads the file at path. What is wrong with its content is a
// *FormatError.
func ReadFile(path string) (file *File, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("safetensors: %s: not a regular file", path)
	}
	file, err = Read(f, info.Size())
	if err == nil {
		err = expectEOF(f)
	}
	if err != nil {
		return nil, withPath(err, path)
	}
	return file, nil
}

// Read reads a file of size bytes from r, and not more. What is wrong with its
// content is a *FormatError; one that wraps io.ErrUnexpectedEOF says that r
// ended before size.
//
// It allocates no more than a small multiple of size, which the caller must
// know from elsewhere than the content. The tensors share one buffer.
func Read(r io.Reader, size int64) (*File, error) {
	if size < lengthSize {
		return nil, formatErrorf("header length", "file of %d bytes, want at least %d", size, lengthSize)
	}
	var length [lengthSize]byte
	if err := readFull(r, length[:], "header length"); err != nil {
		return nil, err
	}
	n, rest := binary.LittleEndian.Uint64(length[:]), uint64(size)-lengthSize
	if n > maxHeader {
		return nil, formatErrorf("header length", "%d bytes, want at most %d", n, maxHeader)
	}
	if n > rest {
		return nil, formatErrorf("header length", "%d bytes, but only %d follow", n, rest)
	}
	header := make([]byte, n)
	if err := readFull(r, header, "header"); err != nil {
		return nil, err
	}
	metadata, entries, err := parseHeader(header, rest-n)
	if err != nil {
		return nil, err
	}

	if rest-n > math.MaxInt {
		return nil, formatErrorf("data", "%d bytes, more than this machine can address", rest-n)
	}
	data := make([]byte, rest-n)
	file := &File{Metadata: metadata, Tensors: make([]Tensor, len(entries))}
	for i, e := range entries {
		t := Tensor{Name: e.name, DType: e.dtype, Shape: e.shape, Data: data[e.begin:e.end:e.end]}
		if err := readFull(r, t.Data, tensorPlace(t.Name)); err != nil {
			return nil, err
		}
		file.Tensors[i] = t
	}
	return file, nil
}

// readFull fills b; an early end is a *FormatError.
func readFull(r io.Reader, b []byte, place string) error {
	_, err := io.ReadFull(r, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return formatErrorf(place, "file is cut off: %w", io.ErrUnexpectedEOF)
	}
	if err != nil {
		return fmt.Errorf("safetensors: read %s: %w", place, err)
	}
	return nil
}

// expectEOF is an error if the file grew since its size was taken.
func expectEOF(r io.Reader) error {
	n, err := io.ReadFull(r, make([]byte, 1))
	if n > 0 {
		return formatErrorf("data", "file grew while it was read")
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return fmt.Errorf("safetensors: %w", err)
}

// withPath says in the error which file it is about.
func withPath(err error, path string) error {
	var format *FormatError
	if errors.As(err, &format) {
		format.Path = path
		return format
	}
	return fmt.Errorf("%s: %w", path, err)
}
