package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Write writes a file. The same contents give the same bytes: tensors are sorted by the size of their elements, the
// largest first as the reference writer does for alignment, then by name.
func Write(w io.Writer, f *File) error {
	tensors := slices.Clone(f.Tensors)
	slices.SortFunc(tensors, func(a, b Tensor) int {
		if d := widths[b.DType] - widths[a.DType]; d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name)
	})
	header, err := headerOf(f.Metadata, tensors)
	if err != nil {
		return err
	}
	if err := binary.Write(w, binary.LittleEndian, uint64(len(header))); err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	for _, t := range tensors {
		if _, err := w.Write(t.Data); err != nil {
			return err
		}
	}
	return nil
}

// headerOf is the JSON header, filled up with spaces to a multiple of 8 bytes.
func headerOf(metadata map[string]string, tensors []Tensor) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	if metadata != nil {
		b.WriteString(`"__metadata__":`)
		if err := encode(&b, metadata); err != nil {
			return nil, err
		}
	}
	at := 0
	for i, t := range tensors {
		if n, ok := byteSize(t.DType, t.Shape); !ok || n != len(t.Data) {
			return nil, malformed("tensor %q: %s %v has %d bytes", t.Name, t.DType, t.Shape, len(t.Data))
		}
		if t.Name == "__metadata__" || i > 0 && slices.ContainsFunc(tensors[:i], func(u Tensor) bool { return u.Name == t.Name }) {
			return nil, malformed("tensor name %q is taken", t.Name)
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		if err := encode(&b, t.Name); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		e := entry{DType: t.DType, Shape: append([]int{}, t.Shape...), Offsets: []int{at, at + len(t.Data)}}
		if err := encode(&b, e); err != nil {
			return nil, err
		}
		at += len(t.Data)
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	return b.Bytes(), nil
}

// encode writes JSON without the escapes meant for HTML and without the line's end.
func encode(b *bytes.Buffer, v any) error {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	b.Truncate(b.Len() - 1)
	return nil
}

// WriteFile writes a file whole or not at all: aside first, to disk, then renamed over what was there.
func WriteFile(path string, f *File) error {
	aside, err := writeAside(path, f)
	if err == nil {
		err = os.Rename(aside, path)
	}
	if err != nil {
		if aside != "" {
			_ = os.Remove(aside)
		}
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// writeAside writes to a new file beside path, down to the disk, and names it.
func writeAside(path string, f *File) (name string, err error) {
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return "", err
	}
	if err = Write(temp, f); err == nil {
		err = temp.Chmod(0o644)
	}
	if err == nil {
		err = temp.Sync()
	}
	return temp.Name(), errors.Join(err, temp.Close())
}

// syncFolder makes a rename last; file systems that can't are let be.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return nil
	}
	_ = d.Sync()
	return d.Close()
}
