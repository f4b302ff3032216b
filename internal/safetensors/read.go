package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"unicode/utf8"
)

// maxHeader is the longest header that is read, the reference implementation's limit.
const maxHeader = 100_000_000

// ReadFile reads a whole file. It holds no more memory than the file is long, whatever the file says of itself.
func ReadFile(path string) (f *File, err error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	info, err := r.Stat()
	if err != nil {
		return nil, err
	}
	f, err = Read(r, info.Size())
	var bad *FormatError
	if errors.As(err, &bad) {
		bad.Path = path
	}
	return f, err
}

// Read reads a file of a known size.
func Read(r io.Reader, size int64) (*File, error) {
	if size < 8 {
		return nil, malformed("%d bytes, want at least the 8 of the header's length", size)
	}
	var prefix [8]byte
	if _, err := io.ReadFull(r, prefix[:]); err != nil {
		return nil, malformed("cut short in the header's length: %v", err)
	}
	length := binary.LittleEndian.Uint64(prefix[:])
	if length > maxHeader || length > uint64(size-8) {
		return nil, malformed("header of %d bytes in a file of %d", length, size)
	}
	header := make([]byte, length)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, malformed("cut short in the header: %v", err)
	}
	f, end, err := parse(header)
	if err != nil {
		return nil, err
	}
	rest := size - 8 - int64(length)
	if int64(end) != rest {
		return nil, malformed("tensors of %d bytes, want the %d that follow the header", end, rest)
	}
	data := make([]byte, end)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, malformed("cut short in the tensors: %v", err)
	}
	at := 0
	for i := range f.Tensors {
		t := &f.Tensors[i]
		n, _ := byteSize(t.DType, t.Shape)
		t.Data = data[at : at+n : at+n]
		at += n
	}
	return f, nil
}

// entry is a tensor in the header.
type entry struct {
	DType   string `json:"dtype"`
	Shape   []int  `json:"shape"`
	Offsets []int  `json:"data_offsets"`
}

// parse reads the header; the tensors come back in the order of their bytes, which have neither holes nor overlaps.
func parse(header []byte) (f *File, end int, err error) {
	if !utf8.Valid(header) {
		return nil, 0, malformed("the header is not UTF-8")
	}
	fields, err := objectFields(header)
	if err != nil {
		return nil, 0, err
	}
	f = &File{}
	var offsets []int
	for name, text := range fields {
		if name == "__metadata__" {
			if err := json.Unmarshal(text, &f.Metadata); err != nil {
				return nil, 0, malformed("__metadata__: %v", err)
			}
			continue
		}
		var e entry
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		if err := d.Decode(&e); err != nil {
			return nil, 0, malformed("tensor %q: %v", name, err)
		}
		n, ok := byteSize(e.DType, e.Shape)
		if !ok || len(e.Offsets) != 2 || e.Offsets[0] < 0 || e.Offsets[1]-e.Offsets[0] != n {
			return nil, 0, malformed("tensor %q: %s %v does not fit its offsets %v", name, e.DType, e.Shape, e.Offsets)
		}
		f.Tensors = append(f.Tensors, Tensor{Name: name, DType: e.DType, Shape: append([]int{}, e.Shape...)})
		offsets = append(offsets, e.Offsets[0])
	}
	sort.Sort(&byOffset{f.Tensors, offsets})
	for i, t := range f.Tensors {
		if offsets[i] != end {
			return nil, 0, malformed("tensor %q starts at %d, want %d", t.Name, offsets[i], end)
		}
		n, _ := byteSize(t.DType, t.Shape)
		end += n
	}
	return f, end, nil
}

// objectFields splits a JSON object, and refuses a name that stands twice.
func objectFields(text []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, malformed("the header is no JSON object")
	}
	fields := map[string]json.RawMessage{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, malformed("the header: %v", err)
		}
		name := fmt.Sprint(key)
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, malformed("the header at %q: %v", name, err)
		}
		if _, twice := fields[name]; twice {
			return nil, malformed("tensor %q stands twice", name)
		}
		fields[name] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, malformed("the header: %v", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, malformed("something follows the header's object")
	}
	return fields, nil
}

// byOffset sorts by place, empty tensors (which take none) by name before others of the same place.
type byOffset struct {
	tensors []Tensor
	offsets []int
}

func (b *byOffset) Len() int { return len(b.tensors) }

func (b *byOffset) Swap(i, j int) {
	b.tensors[i], b.tensors[j] = b.tensors[j], b.tensors[i]
	b.offsets[i], b.offsets[j] = b.offsets[j], b.offsets[i]
}

func (b *byOffset) Less(i, j int) bool {
	if b.offsets[i] != b.offsets[j] {
		return b.offsets[i] < b.offsets[j]
	}
	m, _ := byteSize(b.tensors[i].DType, b.tensors[i].Shape)
	n, _ := byteSize(b.tensors[j].DType, b.tensors[j].Shape)
	if m != n {
		return m < n
	}
	return b.tensors[i].Name < b.tensors[j].Name
}
